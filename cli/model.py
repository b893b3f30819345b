"""`ticketstream model`: have the embedding model ready before the first ticket."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from cli.console import JsonFlag, ends_in_one_line, err, out, print_json
from core.environment import load_settings
from core.errors import ConfigError
from models.builder.published import read_published
from models.open import describe
from runtime.model import build_model, fetch_model

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


@app.command("card")
@ends_in_one_line
def card(
    folder: Annotated[Path, typer.Argument(help="With config.json, model.safetensors, tokenizer.json.")],
    *,
    name: Annotated[str | None, typer.Option(help="What to call it; none: as the folder.")] = None,
    pooling: Annotated[
        Literal["mean", "cls"] | None,
        typer.Option(help="How token vectors become one; none: as 1_Pooling/config.json says."),
    ] = None,
    max_length: Annotated[
        int | None, typer.Option(help="Longest input in tokens; none: as sentence_bert_config.json says.")
    ] = None,
    query_prefix: Annotated[
        str | None,
        typer.Option(help='Before questions, "query: " for the e5 models; none: as its prompts say.'),
    ] = None,
    passage_prefix: Annotated[
        str | None, typer.Option(help='Before texts, "passage: " for the e5 models; none: as its prompts say.')
    ] = None,
) -> None:
    """Write the card of another model into its folder, for TICKETS_MODEL__CARD.

    A card says what the files hash to, how the model pools, how much it reads and what it wants before a text. What
    the folder doesn't say, the options do: bge-small-en-v1.5 wants --query-prefix "Represent this sentence for
    searching relevant passages: ", e5-small-v2 both prefixes.
    """
    found = read_published(
        folder,
        name=name,
        pooling=pooling,
        max_length=max_length,
        query_prefix=query_prefix,
        passage_prefix=passage_prefix,
    )
    file = folder / "card.json"
    try:
        file.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    except OSError as error:
        raise ConfigError(f"can't write {file} ({(error.strerror or '').lower()})") from None
    err.print(f"wrote {file}; with TICKETS_MODEL__CARD={file} it is built at the next start")


@contextmanager
def model_progress() -> Iterator[Callable[[str, int, int | None], None]]:
    """A bar per file being fetched or built, shown only once there is something to wait for."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=err, transient=True) as bars:
        tasks = {}

        def report(label: str, done: int, total: int | None) -> None:
            if label not in tasks:
                tasks[label] = bars.add_task(label, total=total)
            bars.update(tasks[label], completed=done, total=total)

        yield report
