"""`ticketstream`: everything a person does with the stream from a terminal."""

import logging
from importlib.metadata import version
from typing import Annotated

import typer

from cli import demo, dlq, doctor, model, produce, rebuild, reconcile, search, status, topics

EPILOG = (
    "Settings come from TICKETS_* variables, the same ones the worker reads; "
    "`ticketstream doctor --settings` lists them. Exit codes: 0 done, 1 fault, 2 a mistake in what was asked, "
    "3 a broker, index or model that can't be had."
)

app = typer.Typer(
    name="ticketstream",
    help="Support tickets from Kafka, searchable by meaning within seconds of arriving.",
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("demo")(demo.demo)
app.command("topics")(topics.topics)
app.command("produce")(produce.produce)
app.command("search")(search.search)
app.command("status")(status.status)
app.command("reconcile")(reconcile.reconcile)
app.command("rebuild")(rebuild.rebuild)
app.add_typer(dlq.app, name="dlq")
app.add_typer(model.app, name="model")
app.command("doctor")(doctor.doctor)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("ticketstream"))
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    pass


def main() -> None:
    """Entry point of the console script."""
    # A command says what went wrong in one line; its clients' own accounts of it would be a second and third.
    logging.getLogger("ticketstream").addHandler(logging.NullHandler())
    logging.getLogger("ticketstream").propagate = False
    app()
