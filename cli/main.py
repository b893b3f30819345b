"""`ticketstream`: the command line of the stream."""

import logging
from importlib.metadata import version
from typing import Annotated

import typer

from cli import (
    archive,
    ask,
    backup,
    compact,
    demo,
    dlq,
    doctor,
    evaluate,
    feedback,
    mcp,
    model,
    produce,
    rebuild,
    reconcile,
    register,
    search,
    status,
    tickets,
    topics,
    train,
    workflow,
)

HELP = (
    "Support tickets from Kafka, searchable by meaning within seconds of arriving.\n\n"
    "`ticketstream demo` shows everything on this machine. For a stream of your own set TICKETS_KAFKA__BROKERS, "
    "run `ticketstream topics` and `ticketstream doctor`, and start a worker with "
    "`python -m bytewax.run dataflows.tickets`."
)
EPILOG = (
    "Settings come from the TICKETS_* environment variables that the worker reads too; "
    "`ticketstream doctor --settings` lists them. "
    "Exit codes: 0 success, 1 failure, 2 wrong usage or settings, 3 broker, index or model unavailable."
)

app = typer.Typer(
    name="ticketstream",
    help=HELP,
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("demo")(demo.demo)
app.command("topics")(topics.topics)
app.command("produce")(produce.produce)
app.command("search")(search.search)
app.command("similar")(search.similar)
app.command("ask")(ask.ask)
app.command("evaluate")(evaluate.evaluate)
app.command("status")(status.status)
app.command("reconcile")(reconcile.reconcile)
app.command("rebuild")(rebuild.rebuild)
app.command("compact")(compact.compact)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("train")(train.train_labels)
app.command("mcp")(mcp.mcp)
app.add_typer(tickets.app, name="tickets")
app.add_typer(feedback.app, name="feedback")
app.add_typer(dlq.app, name="dlq")
app.add_typer(archive.app, name="archive")
app.add_typer(workflow.app, name="workflow")
model.app.command("register")(register.register)
app.add_typer(model.app, name="model")
app.command("doctor")(doctor.doctor)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("ticketstream"))
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    pass


def main() -> None:
    """Entry point of the console script."""
    # A command reports an error in one line; the client libraries would log it again.
    logging.getLogger("ticketstream").addHandler(logging.NullHandler())
    logging.getLogger("ticketstream").propagate = False
    app()
