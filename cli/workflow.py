"""`ticketstream workflow`: list and replay the executions of the workflow of new tickets that failed on AWS."""

from typing import Annotated

import typer
from rich.table import Table

from cli.console import JsonFlag, err, out, print_json, report_errors
from connectors.workflow.executions import open_executions
from connectors.workflow.failures import FailureQueue, open_failures
from core.contract import datetime_from_ms
from core.environment import load_settings
from core.errors import ConfigError
from core.settings import Settings
from maintenance.failed_workflows import Wanted, replay, taken

app = typer.Typer(help="List and replay failures of the workflow of new tickets on AWS.", no_args_is_help=True)

TicketOption = Annotated[
    str | None, typer.Option("--ticket", metavar="TENANT/TICKET", help="Only the failures of this ticket.")
]
ErrorOption = Annotated[
    str | None, typer.Option("--error", help="Only the failures by this error, e.g. UnavailableError or TIMED_OUT.")
]


@app.command("list")
@report_errors
def list_failures(*, ticket: TicketOption = None, error: ErrorOption = None, as_json: JsonFlag = False) -> None:
    """List the executions that failed and were not replayed yet, oldest first.

    TICKETS_WORKFLOW__QUEUE_URL names their queue, which keeps them for 14 days. A list hides them from other readers
    for a moment, so two lists at once may each show a part.
    """
    with taken(_queue(load_settings())) as found:
        rows = [
            {
                "at": f"{datetime_from_ms(one.stopped_ms):%Y-%m-%d %H:%M:%S}",
                "ticket": f"{one.ticket.tenant_id}/{one.ticket.ticket_id}",
                "status": one.status,
                "error": one.error,
                "cause": one.cause,
                "execution": one.name,
            }
            for one in found.matching(Wanted(ticket, error))
        ]
    if as_json:
        print_json(rows)
        return
    if not rows:
        out.print("no failed executions")
        return
    table = Table("ended (UTC)", "ticket", "status", "error", "cause")
    for row in rows:
        table.add_row(*list(row.values())[:-1])
    out.print(table)


@app.command("replay")
@report_errors
def replay_failures(
    *,
    ticket: TicketOption = None,
    error: ErrorOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask for confirmation.")] = False,
) -> None:
    """Start the workflow again for the tickets of failed executions, each once.

    Steps that were done before have no second effect, and a ticket that an agent has taken up is left alone. An
    execution that fails again is listed again.
    """
    settings = load_settings()
    arn = settings.workflow.state_machine_arn
    if arn is None:
        raise ConfigError("TICKETS_WORKFLOW__STATE_MACHINE_ARN: set it to the ARN of the state machine")
    with taken(_queue(settings)) as found:
        chosen = found.matching(Wanted(ticket, error))
        if not chosen:
            out.print("nothing to replay")
            return
        if not yes and not typer.confirm(f"Replay {len(chosen):,} execution(s)?"):
            raise typer.Exit(1)
        done = replay(chosen, found, open_executions(arn, settings.workflow.aws_region))
    err.print(f"{done.started:,} execution(s) started again")
    if done.before:
        err.print(f"{done.before:,} had been started again before")


def _queue(settings: Settings) -> FailureQueue:
    url = settings.workflow.queue_url
    if url is None:
        raise ConfigError("TICKETS_WORKFLOW__QUEUE_URL: set it to the URL of the queue of failed executions")
    return open_failures("".join(url), settings.workflow.aws_region)
