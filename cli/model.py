"""`ticketstream model`: fetch, build, show and describe the embedding model before the first start."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from cli.console import JsonFlag, err, out, print_json, report_errors
from core.disk import full_disk_error
from core.environment import load_settings
from core.errors import ConfigError
from models.builder.published import read_published
from runtime.model import build_model, describe_model, fetch_model

app = typer.Typer(help="Fetch, build and show the embedding model; register a label model.", no_args_is_help=True)


@app.command("fetch")
@report_errors
def fetch() -> None:
    """Put the model, verified, into the cache: from TICKETS_MODEL__STORE, or built from its weights.

    A worker does the same at its first start, without showing its progress.
    """
    settings = load_settings().model
    with model_progress() as progress:
        fetch_model(settings, progress=progress)
    stamp = describe_model(settings).stamp
    if settings.remote:
        err.print(f"Amazon Bedrock runs {stamp}, so there is nothing to fetch; `ticketstream doctor` calls it")
    else:
        err.print(f"{stamp} is ready in {settings.cache_dir}")


@app.command("build")
@report_errors
def build(
    *,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="STORE",
            help="Also save it in this folder or s3://bucket/prefix, for workers that name it in TICKETS_MODEL__STORE.",
        ),
    ] = None,
) -> None:
    """Build the model from its verified weights, even if it is in the cache.

    The same weights give the same stamp on every machine. TICKETS_MODEL__PRECISION chooses the precision.
    """
    settings = load_settings().model
    with model_progress() as progress:
        stamp = build_model(settings, to=to, progress=progress)
    err.print(f"{stamp} is ready in {to or settings.cache_dir}")


@app.command("show")
@report_errors
def show_model(*, as_json: JsonFlag = False) -> None:
    """Show the model that the settings name, its folder, and whether it is ready."""
    settings = load_settings().model
    model = describe_model(settings)
    if as_json:
        print_json(model)
        return
    table = Table(show_header=False)
    table.add_row("name", model.name)
    table.add_row("stamp", model.stamp or "known once it is fetched")
    table.add_row("dimension", str(model.dimension or ""))
    table.add_row("max input", f"{model.max_tokens} tokens")
    table.add_row("folder", str(model.folder or "none needed"))
    ready = "Amazon Bedrock runs it; `ticketstream doctor` calls it" if settings.remote else "yes"
    table.add_row("ready", ready if model.ready else "no; run `ticketstream model fetch`")
    out.print(table)


@app.command("card")
@report_errors
def card(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder with config.json, model.safetensors and tokenizer.json.")
    ],
    *,
    name: Annotated[str | None, typer.Option(help="Name of the model; by default that of the folder.")] = None,
    pooling: Annotated[
        Literal["mean", "cls"] | None,
        typer.Option(help="How token vectors become one vector; by default as in 1_Pooling/config.json."),
    ] = None,
    max_length: Annotated[
        int | None, typer.Option(help="Maximum input in tokens; by default as in sentence_bert_config.json.")
    ] = None,
    query_prefix: Annotated[
        str | None,
        typer.Option(help='Prefix of questions, e.g. "query: " for e5; by default that of the folder\'s prompts.'),
    ] = None,
    passage_prefix: Annotated[
        str | None,
        typer.Option(help='Prefix of passages, e.g. "passage: " for e5; by default that of the folder\'s prompts.'),
    ] = None,
) -> None:
    """Describe your own model in a card, for TICKETS_MODEL__CARD.

    A card holds the hashes of the files, the pooling, the maximum input and the prefixes. Give missing ones as options:
    bge-small-en-v1.5 needs --query-prefix "Represent this sentence for searching relevant
    passages: ", and e5-small-v2 needs both prefixes.
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
        reason = (error.strerror or "").lower()
        raise full_disk_error(error, file) or ConfigError(f"can't write {file} ({reason})") from None
    err.print(f"{file} is written; set TICKETS_MODEL__CARD={file} to use the model")


@contextmanager
def model_progress() -> Iterator[Callable[[str, int, int | None], None]]:
    """A progress bar for each file that is fetched or built; none if nothing has to be."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=err, transient=True) as bars:
        tasks = {}

        def report(label: str, done: int, total: int | None) -> None:
            if label not in tasks:
                tasks[label] = bars.add_task(label, total=total)
            bars.update(tasks[label], completed=done, total=total)

        yield report
