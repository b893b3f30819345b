"""`ticketstream produce`: put tickets on the raw topic, from a file, standard input or the generator."""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cli.console import JsonFlag, ends_in_one_line, err, print_json
from connectors.files.events import CsvMapping, read_csv, read_jsonl
from connectors.kafka.admin import open_cluster
from connectors.kafka.pacing import send_in_slices
from connectors.kafka.producer import Outgoing, Sender
from core.environment import load_settings
from core.errors import ConfigError
from runtime.sender import open_sender
from synthetic.tickets import events


@ends_in_one_line
def produce(
    file: Annotated[str | None, typer.Argument(help="JSONL of ticket events, or CSV; [bold]-[/] is stdin.")] = None,
    *,
    csv: Annotated[bool, typer.Option("--csv", help="Read CSV with a header line; implied by a name in .csv.")] = False,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", "-m", help="FIELD=COLUMN of the CSV, or FIELD:=VALUE for all rows; may be repeated."),
    ] = None,
    synthetic: Annotated[int | None, typer.Option(min=1, help="Make up this many events instead of reading.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the made-up events.")] = 7,
    rate: Annotated[float | None, typer.Option(min=0.01, help="Events per second; as fast as it goes if left out.")] = (
        None
    ),
    topic: Annotated[str | None, typer.Option(help="Write here instead of the raw topic.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Write ticket events to Kafka; returns when every in-sync replica has them.

    [dim]ticketstream produce --synthetic 1000 --rate 50
    ticketstream produce events.jsonl
    ticketstream produce export.csv --map ticket_id=id --map body=text --map tenant_id:=acme[/]
    """
    settings = load_settings()
    target = topic or settings.topics.raw
    with ExitStack() as opened:
        records = _records(opened, file, csv=csv, mapping=mapping or [], synthetic=synthetic, seed=seed, topic=target)
        open_cluster(settings.kafka).require_topics([target])
        sender = open_sender(settings.kafka, opened)
        began = time.monotonic()
        sent = _send(sender, records, rate=rate, total=synthetic, target=target)
    seconds = time.monotonic() - began
    if as_json:
        print_json({"topic": target, "records": sent, "seconds": round(seconds, 3)})
    else:
        err.print(f"{sent:,} records written to {target} in {seconds:.1f} s")


def _records(
    opened: ExitStack,
    file: str | None,
    *,
    csv: bool,
    mapping: list[str],
    synthetic: int | None,
    seed: int,
    topic: str,
) -> Iterator[Outgoing]:
    if (file is None) == (synthetic is None):
        raise ConfigError("say what to produce: a FILE (- for standard input), or --synthetic N")
    if synthetic is not None:
        made = events(synthetic, seed=seed, start_ms=int(time.time() * 1000))
        return (Outgoing(topic, e.key, e.value, e.headers) for e in made)
    assert file is not None  # noqa: S101 - one of the two is there
    is_csv = csv or file.lower().endswith(".csv")
    if mapping and not is_csv:
        raise ConfigError("--map is for CSV; say --csv when the name doesn't end in .csv")
    source = _open(opened, file)
    name = "standard input" if file == "-" else file
    if is_csv:
        return read_csv(source, CsvMapping.parse(mapping), topic=topic, name=name)
    return read_jsonl(source, topic=topic, name=name)


def _open(opened: ExitStack, file: str) -> BinaryIO:
    if file == "-":
        return sys.stdin.buffer
    try:
        return opened.enter_context(Path(file).open("rb"))
    except OSError as error:
        raise ConfigError(f"can't read {file}: {(error.strerror or '').lower()}") from None


def _send(sender: Sender, records: Iterable[Outgoing], *, rate: float | None, total: int | None, target: str) -> int:
    """Send all records behind a progress bar; how many there were."""
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    bars = Progress(
        *columns,
        TextColumn("{task.fields[speed]}", markup=False),
        TimeElapsedColumn(),
        console=err,
        disable=not err.is_terminal,
    )
    sent, began = 0, time.monotonic()
    with bars as progress:
        task = progress.add_task(target, total=total, speed="")
        for sent in send_in_slices(sender.send, records, rate=rate):
            speed = f"{sent / max(time.monotonic() - began, 1e-3):,.0f}/s"
            progress.update(task, completed=sent, speed=speed)
    return sent
