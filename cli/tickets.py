"""`ticketstream tickets`: create, read, change and delete tickets through the ticket API."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from cli.bars import progress_bars
from cli.console import CallerTenantOption, JsonFlag, err, out, parse_time, print_json, report_errors
from connectors.ticket_store.open import open_stores
from core.environment import load_settings
from core.errors import ConfigError
from maintenance.resending import resend as send_again
from runtime.sender import open_sender
from runtime.service_client import Reply, decoded, open_service_client
from runtime.ticket_client import Ticket, TicketClient, TicketPage, page_of, ticket_of

app = typer.Typer(no_args_is_help=True, help="Create, read, change and delete tickets through the ticket API.")

TicketId = Annotated[str, typer.Argument(metavar="TICKET", help="The id of a ticket.")]
VersionOption = Annotated[
    int | None, typer.Option("--if-version", min=0, help="Change the ticket only if it is at this version.")
]


@app.command()
@report_errors
def create(
    *,
    subject: Annotated[str, typer.Option(help="The subject.")] = "",
    body: Annotated[str, typer.Option(help="The opening message, plain text or HTML.")] = "",
    ticket: Annotated[
        str | None, typer.Option("--id", help="Id of the ticket; by default the API chooses one.")
    ] = None,
    customer: Annotated[str | None, typer.Option(help="Id of the customer.")] = None,
    channel: Annotated[str | None, typer.Option(help="Channel through which it arrived, e.g. email.")] = None,
    status: Annotated[str | None, typer.Option(help="Status, e.g. open.")] = None,
    priority: Annotated[str | None, typer.Option(help="Priority, e.g. high.")] = None,
    category: Annotated[str | None, typer.Option(help="Category, e.g. billing.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag; may be repeated.")] = None,
    key: Annotated[
        str | None, typer.Option(help="Idempotency key: repeating the command with it creates only one ticket.")
    ] = None,
    tenant: CallerTenantOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Create a ticket. It is searchable once the stream has it, within seconds.

    [dim]ticketstream tickets create --subject "Wrong VAT" --body "The invoice has the old rate." --customer C-17[/]
    """
    if not subject.strip() and not body.strip():
        raise ConfigError("the ticket is empty; give --subject, --body or both")
    given = {
        "ticket_id": ticket,
        "customer_id": customer,
        "channel": channel,
        "status": status,
        "priority": priority,
        "category": category,
        "tags": tag,
    }
    fields: dict[str, object] = {"subject": subject, "body": body}
    fields |= {name: value for name, value in given.items() if value is not None}
    _change(lambda client: client.create(fields, key=key), "created", as_json=as_json, tenant=tenant)


@app.command()
@report_errors
def get(ticket: TicketId, *, tenant: CallerTenantOption = None, as_json: JsonFlag = False) -> None:
    """Show a ticket with its thread and internal notes."""
    reply = _call(lambda client: client.get(ticket), tenant)
    if as_json:
        print_json(decoded(reply))
    else:
        _print_ticket(ticket_of(reply))


@app.command("list")
@report_errors
def list_tickets(
    *,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100, help="Maximum tickets to show.")] = 20,
    status: Annotated[str | None, typer.Option(help="Only tickets with this status.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only tickets of this customer.")] = None,
    cursor: Annotated[str | None, typer.Option(help="Continue after the previous list.")] = None,
    tenant: CallerTenantOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List your tenant's tickets, newest first."""
    reply = _call(lambda client: client.find(limit=limit, status=status, customer_id=customer, cursor=cursor), tenant)
    if as_json:
        print_json(decoded(reply))
    else:
        _print_page(page_of(reply))


@app.command()
@report_errors
def comment(
    ticket: TicketId,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The message.")],
    *,
    internal: Annotated[bool, typer.Option("--internal", help="An internal note, which customers never see.")] = False,
    version: VersionOption = None,
    tenant: CallerTenantOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Add a message to a ticket."""
    _change(
        lambda client: client.comment(ticket, text, public=not internal, version=version),
        "updated",
        as_json=as_json,
        tenant=tenant,
    )


@app.command()
@report_errors
def close(
    ticket: TicketId,
    *,
    resolution: Annotated[
        str | None, typer.Option(help="The solution, as a last public message; later answers may quote it.")
    ] = None,
    version: VersionOption = None,
    tenant: CallerTenantOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Close a ticket.

    [dim]ticketstream tickets close T-1042 --resolution "Open Billing > Tax and press Recalculate."[/]
    """
    _change(
        lambda client: client.close(ticket, resolution=resolution, version=version),
        "closed",
        as_json=as_json,
        tenant=tenant,
    )


@app.command()
@report_errors
def delete(
    ticket: TicketId,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    version: VersionOption = None,
    tenant: CallerTenantOption = None,
) -> None:
    """Delete a ticket for good. Its id can't be used again."""
    if not yes:
        typer.confirm(f"Delete ticket {ticket} for good?", abort=True)
    with ExitStack() as stack:
        TicketClient(open_service_client(load_settings().client, "tickets", stack, tenant=tenant)).delete(
            ticket, version=version
        )
    out.print(f"deleted {ticket}", highlight=False)


@app.command()
@report_errors
def resend(
    *,
    since: Annotated[
        str,
        typer.Option(metavar="TIME", help="Only tickets that were changed at or after this time (UTC)."),
    ],
    as_json: JsonFlag = False,
) -> None:
    """Send the API's tickets to tickets.raw again, each as it is now, after the topic lost its last events.

    The command reads the API's store directly (TICKETS_API__STORE): all tenants, and deletions too. Sending a version
    that the topic already has changes nothing. The API may run meanwhile.

    [dim]ticketstream tickets resend --since 2026-01-31T08:00[/]
    """
    settings = load_settings()
    since_ms = parse_time(since, "--since")
    with ExitStack() as stack, progress_bars() as bars:
        stores = open_stores(settings.api, stack)
        sender = open_sender(settings.kafka, stack)
        task = bars.add_task("sending", total=None)
        done = send_again(
            stores.tickets.changed_since(since_ms or 0),
            sender,
            settings.topics.raw,
            advance=lambda number: bars.advance(task, number),
        )
    if as_json:
        print_json(done)
        return
    err.print(f"{done.tickets:,} ticket(s) sent to {settings.topics.raw}")
    if done.refused:
        err.print(f"{done.refused:,} were refused by the topic")


def _call(do: Callable[[TicketClient], Reply], tenant: str | None) -> Reply:
    with ExitStack() as stack:
        return do(TicketClient(open_service_client(load_settings().client, "tickets", stack, tenant=tenant)))


def _change(do: Callable[[TicketClient], Reply], done: str, *, as_json: bool, tenant: str | None) -> None:
    reply = _call(do, tenant)
    if as_json:
        print_json(decoded(reply))
        return
    ticket = ticket_of(reply)
    out.print(f"{done} {ticket.ticket_id}, version {ticket.version}", highlight=False)


def _print_ticket(ticket: Ticket) -> None:
    out.print(Text.assemble((ticket.ticket_id, "bold"), f"  {ticket.subject}"))
    facts = (ticket.status, ticket.channel, ticket.priority, ticket.category, ticket.customer_id, *ticket.tags)
    changed = f"version {ticket.version} of {_moment(ticket.updated_at)}"
    out.print(" · ".join([*(fact for fact in facts if fact), changed]), style="dim", highlight=False)
    if ticket.body:
        out.print(f"\n{ticket.body}", highlight=False)
    for message in ticket.messages:
        note = "" if message.public else ", internal note"
        out.print(f"\n{message.author}, {_moment(message.created_at)}{note}", style="dim", highlight=False)
        out.print(message.body, highlight=False)


def _print_page(page: TicketPage) -> None:
    if not page.tickets:
        out.print("no tickets")
    else:
        table = Table("ticket", "status", "updated", "messages", "subject")
        for row in page.tickets:
            table.add_row(row.ticket_id, row.status, _moment(row.updated_at), str(row.messages), row.subject)
        out.print(table)
    if page.next is not None:
        out.print(f"more: --cursor {page.next}", style="dim", soft_wrap=True, highlight=False)


def _moment(time: str) -> str:
    """A time of RFC 3339 to the minute, in UTC as the API writes it."""
    return time[:16].replace("T", " ")
