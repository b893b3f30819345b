"""`ticketstream produce`: write ticket events to Kafka from a file, standard input or the generator."""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cli.console import JsonFlag, err, finite, print_json, report_errors
from connectors.files import CsvMapping, TimeReader, read_csv, read_jsonl, zone_of
from connectors.kafka.admin import open_cluster
from connectors.kafka.pacing import send_in_slices
from connectors.kafka.producer import Outgoing, Sender
from core.environment import load_settings
from core.errors import ConfigError
from runtime.sender import open_sender
from synthetic.tickets import events


@report_errors
def produce(
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="JSONL of ticket events, or CSV; [bold]-[/] is standard input.")
    ] = None,
    *,
    csv: Annotated[
        bool, typer.Option("--csv", help="The file is CSV with a header line; implied by a name that ends in .csv.")
    ] = False,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            "-m",
            metavar="FIELD=COLUMN|FIELD:=VALUE",
            help="Take FIELD from a column of the CSV, or give it one VALUE for all rows; may be repeated. If "
            "several columns have one name, COLUMN#2 is the second and COLUMN#* is all of them.",
        ),
    ] = None,
    day_first: Annotated[
        bool | None,
        typer.Option(
            "--day-first/--month-first", help="Meaning of 01/02/2026 in the CSV; without the option it is refused."
        ),
    ] = None,
    zone: Annotated[
        str, typer.Option(metavar="NAME", help="Time zone of times in the CSV without one, e.g. Europe/Berlin.")
    ] = "UTC",
    synthetic: Annotated[
        int | None, typer.Option(min=1, help="Generate this many events instead of reading a file.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the generated events.")] = 7,
    rate: Annotated[
        float | None,
        typer.Option(min=0.01, callback=finite, help="Maximum number of events per second; unlimited by default."),
    ] = None,
    topic: Annotated[str | None, typer.Option(help="Topic to write to instead of TICKETS_TOPICS__RAW.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Write ticket events to Kafka, and return when every in-sync replica has them.

    The command stops at the first malformed line with exit code 2. The events before that line have been written; the
    message gives their number.

    A time in a CSV is seconds, milliseconds or microseconds since 1970, or a date with or without a time of day.

    [dim]ticketstream produce --synthetic 1000 --rate 50
    ticketstream produce events.jsonl
    ticketstream produce export.csv --map ticket_id=id --map body=text --map tenant_id:=acme[/]
    """
    settings = load_settings()
    target = topic or settings.topics.raw
    with ExitStack() as opened:
        records = _records(
            opened,
            file,
            csv=csv,
            mapping=mapping or [],
            times=TimeReader(day_first=day_first, zone=zone_of(zone, "--zone")),
            synthetic=synthetic,
            seed=seed,
            topic=target,
        )
        open_cluster(settings.kafka).require_topics([target])
        sender = open_sender(settings.kafka, opened)
        began = time.monotonic()
        sent = _send(sender, records, rate=rate, total=synthetic, target=target)
    seconds = time.monotonic() - began
    if as_json:
        print_json({"topic": target, "records": sent, "seconds": round(seconds, 3)})
    else:
        err.print(f"{sent:,} event(s) written to {target} in {seconds:.1f} s")


def _records(
    opened: ExitStack,
    file: str | None,
    *,
    csv: bool,
    mapping: list[str],
    times: TimeReader,
    synthetic: int | None,
    seed: int,
    topic: str,
) -> Iterator[Outgoing]:
    if (file is None) == (synthetic is None):
        raise ConfigError("nothing to produce: give either a FILE (- for standard input) or --synthetic N")
    if synthetic is not None:
        made = events(synthetic, seed=seed, start_ms=int(time.time() * 1000))
        return (Outgoing(topic, e.key, e.value, e.headers) for e in made)
    assert file is not None  # noqa: S101 - for mypy: one of the two is given
    is_csv = csv or file.lower().endswith(".csv")
    if mapping and not is_csv:
        raise ConfigError("--map is for CSV; add --csv if the file is CSV under another name")
    source = _open(opened, file)
    name = "standard input" if file == "-" else file
    if is_csv:
        return read_csv(source, CsvMapping.parse(mapping), topic=topic, name=name, times=times)
    return read_jsonl(source, topic=topic, name=name)


def _open(opened: ExitStack, file: str) -> BinaryIO:
    if file == "-":
        return sys.stdin.buffer
    try:
        return opened.enter_context(Path(file).open("rb"))
    except OSError as error:
        raise ConfigError(f"can't read {file}: {(error.strerror or '').lower()}") from None


def _send(sender: Sender, records: Iterable[Outgoing], *, rate: float | None, total: int | None, target: str) -> int:
    """Send all records, showing a progress bar. Returns their number."""
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
