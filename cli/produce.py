"""`ticketstream produce`: put tickets on the raw topic, from a file, standard input or the generator."""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cli.console import JsonFlag, ends_in_one_line, err, print_json
from connectors.files.events import CsvMapping, read_csv, read_jsonl
from connectors.kafka.admin import open_cluster
from connectors.kafka.producer import Outgoing, Sender, open_sender
from core.environment import load_settings
from core.errors import ConfigError, FatalError, TransientError, UnavailableError
from synthetic.tickets import events

_SLICE: Final = 500
_SLICES_PER_S: Final = 10


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
        sender = open_sender(settings.kafka)
        opened.callback(sender.close)
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
    """Send in slices, no faster than `rate` per second."""
    slice_size = _SLICE if rate is None else max(1, min(_SLICE, int(rate / _SLICES_PER_S)))
    source, sent, began = iter(records), 0, time.monotonic()
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    shown = Progress(
        *columns,
        TextColumn("{task.fields[speed]}", markup=False),
        TimeElapsedColumn(),
        console=err,
        disable=not err.is_terminal,  # in a file it would be a line beside the one that counts
    )
    with shown as progress:
        task = progress.add_task(target, total=total, speed="")
        while True:
            batch, refused = _take(source, slice_size)
            try:
                sender.send(batch, on_delivered=lambda n: progress.advance(task, n))
            except TransientError as error:
                raise UnavailableError(f"{error}; {sent} records were written before") from None
            except FatalError as error:
                raise FatalError(f"{error}; {sent} records were written before") from None
            sent += len(batch)
            if refused is not None:
                raise ConfigError(f"{refused}; {sent} records were written before")
            if not batch:
                return sent
            elapsed = time.monotonic() - began
            progress.update(task, speed=f"{sent / max(elapsed, 1e-3):,.0f}/s")
            if rate is not None:
                time.sleep(max(0.0, sent / rate - elapsed))


def _take(source: Iterator[Outgoing], most: int) -> tuple[list[Outgoing], ConfigError | None]:
    """The next records, and what is wrong with the line that ends them: what stands before it is written."""
    batch: list[Outgoing] = []
    try:
        for record in islice(source, most):
            batch.append(record)  # noqa: PERF402 - what was read before the fault is kept
    except ConfigError as error:
        return batch, error
    return batch, None
