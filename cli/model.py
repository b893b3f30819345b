"""`ticketstream model`: have the embedding model ready before the first ticket."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from cli.console import JsonFlag, ends_in_one_line, err, out, print_json
from core.settings import load_settings
from models.load import describe
from worker.model import build_model, fetch_model

app = typer.Typer(help="Fetch, verify and show the embedding model.", no_args_is_help=True)


@app.command("fetch")
@ends_in_one_line
def fetch() -> None:
    """Have the model in the cache, verified: taken from TICKETS_MODEL__STORE, or built from its weights."""
    settings = load_settings().model
    with model_progress() as progress:
        fetch_model(settings, progress=progress)
    err.print(f"{describe(settings).stamp} is ready in {settings.cache_dir}")


@app.command("build")
@ends_in_one_line
def build(
    *,
    to: Annotated[
        str | None, typer.Option(help="Folder or s3://bucket/prefix to keep it in, for TICKETS_MODEL__STORE.")
    ] = None,
) -> None:
    """Build the graph anew from the verified weights; the same weights give the same stamp on every machine."""
    settings = load_settings().model
    with model_progress() as progress:
        stamp = build_model(settings, to=to, progress=progress)
    err.print(f"{stamp} is ready in {to or settings.cache_dir}")


@app.command("show")
@ends_in_one_line
def show_model(*, as_json: JsonFlag = False) -> None:
    """Show which model the settings name, where it lies and whether it is ready."""
    model = describe(load_settings().model)
    if as_json:
        print_json(model)
        return
    table = Table(show_header=False)
    table.add_row("name", model.name)
    table.add_row("stamp", model.stamp or "built at the first start")
    table.add_row("dimension", str(model.dimension or ""))
    table.add_row("longest text", f"{model.max_tokens} tokens")
    table.add_row("folder", str(model.folder or "needs none"))
    table.add_row("ready", "yes" if model.ready else "no: `ticketstream model fetch`")
    out.print(table)


@contextmanager
def model_progress() -> Iterator[Callable[[str, int, int | None], None]]:
    """A bar per file being fetched or built, shown only once there is something to wait for."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=err, transient=True) as bars:
        tasks = {}

        def report(label: str, done: int, total: int | None) -> None:
            if label not in tasks:
                tasks[label] = bars.add_task(label, total=total)
            bars.update(tasks[label], completed=done, total=total)

        yield report
