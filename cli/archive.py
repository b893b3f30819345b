"""`ticketstream archive`: keep every event of tickets.raw in files, list them and verify them."""

import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from msgspec import Struct
from rich.table import Table

from archive.files import Entry
from archive.generation import Generation, find_generations
from archive.verification import verify
from cli.bars import progress_bars
from cli.console import JsonFlag, err, out, print_json, report_errors
from connectors.archive_store.open import open_archive
from connectors.kafka.admin import open_cluster
from connectors.kafka.producer import open_sender
from core.environment import load_settings
from core.errors import EXIT_FAULT, ConfigError
from core.settings import Settings
from maintenance.restoring import Restored, restore
from runtime.logs import set_up_logging
from runtime.signals import stop_on_signal
from stream.archiving import run_archiver

app = typer.Typer(no_args_is_help=True, help="Keep every event of tickets.raw in files, list them and verify them.")


class Holding(Struct, frozen=True):
    """A partition of the archive, for `--json`. `expired` and `empty` are offsets without a record."""

    generation: str
    partition: int
    files: int
    records: int
    bytes: int
    first: int
    next: int
    expired: int
    empty: int
    written: str


@app.command("run")
@report_errors
def run() -> None:
    """Archive events until SIGTERM or SIGINT.

    TICKETS_ARCHIVE__PLACE names a folder or s3://bucket/prefix. Several archivers share the partitions. /health, /ready
    and /metrics are on port 8086, unless TICKETS_HEALTH__PORT names another.
    """
    settings = load_settings()
    set_up_logging(settings.log)
    logging.getLogger("ticketstream").propagate = True  # it is a service, unlike the other commands
    run_archiver(settings, stop_on_signal())


@app.command("list")
@report_errors
def list_files(*, as_json: JsonFlag = False) -> None:
    """List what the archive holds of tickets.raw, by partition.

    A topic that was deleted and created again has a generation of its own, named by the ids of cluster and topic.
    """
    settings = load_settings()
    found = list(_holdings(settings))
    if as_json:
        print_json(found)
        return
    if not found:
        err.print(_nothing_at(settings), markup=False, highlight=False, soft_wrap=True)
    for generation in dict.fromkeys(one.generation for one in found):
        out.print(generation, markup=False, highlight=False, soft_wrap=True)
        out.print(_table([one for one in found if one.generation == generation]))


@app.command("verify")
@report_errors
def verify_files(
    *,
    expired: Annotated[
        bool, typer.Option("--expired", help="Accept that the first files are gone, as after a lifecycle rule.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Read the whole archive: verify every checksum, and that no offset is missing or stored twice.

    Prints a line for each fault. Exits with 0 if there is none, otherwise with 1.
    """
    faults = list(_faults(load_settings(), expired=expired))
    if as_json:
        print_json(faults)
    elif not faults:
        err.print("the archive is complete and undamaged")
    else:
        for fault in faults:
            out.print(fault, markup=False, highlight=False, soft_wrap=True)
    if faults:
        raise typer.Exit(EXIT_FAULT)


@app.command("restore")
@report_errors
def restore_events(
    generation: Annotated[str, typer.Argument(metavar="GENERATION", help="As `list` names it.")],
    *,
    again: Annotated[
        bool, typer.Option("--again", help="Write to a topic that isn't empty, as after an interrupted restoration.")
    ] = False,
    copy: Annotated[
        bool, typer.Option("--copy", help="The archive is a copy that may lack its last files: restore what it has.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Write the events of a generation to tickets.raw, after the cluster that had them was lost.

    Each event goes to the partition that it had, in order and with its time, so create the topic with as many
    partitions. Its offset changes: start workers with a new group and index, or run `ticketstream rebuild`. Stop the
    producers meanwhile. Restoring an event twice changes nothing, because an index keeps the highest version.
    """
    settings = load_settings()
    topic, cluster = settings.topics.raw, open_cluster(settings.kafka)
    partitions = cluster.require_topics([topic])[topic]
    present = sum(lag.end for lag in cluster.lag(topic, settings.kafka.group))
    if present and not again:
        raise ConfigError(f"{topic} has had {present:,} records; create an empty topic, or repeat with --again")
    found = {one.name: one for one in _generations(settings)}
    if generation not in found:
        raise ConfigError(f"the archive has no generation {generation}; `ticketstream archive list` names them")
    # Compressed: a record may have fitted its topic only in that form.
    sender = open_sender(settings.kafka, compress=True)
    with progress_bars() as bars:
        task = bars.add_task("restoring", total=None)
        done = restore(
            found[generation],
            sender,
            topic,
            partitions=partitions,
            copy=copy,
            advance=lambda number: bars.advance(task, number),
        )
    sender.close()
    if as_json:
        print_json(done)
    else:
        _print_restored(done, topic)
    if done.refused:
        raise typer.Exit(EXIT_FAULT)


def _print_restored(done: Restored, topic: str) -> None:
    err.print(f"{done.records:,} event(s) restored to {topic}")
    if done.unreadable:
        err.print(f"{done.unreadable:,} record(s) that no client could read whole were left out")
    if done.missing:
        err.print(f"{done.missing:,} offset(s) are missing in the archive")
    if done.refused:
        err.print(
            f"{done.refused:,} event(s) are too large for {topic} and were left out; raise its max.message.bytes, and "
            "repeat with --again"
        )


def _faults(settings: Settings, *, expired: bool) -> Iterator[str]:
    generations = _generations(settings)
    if not generations:
        yield _nothing_at(settings)
    for generation in generations:
        for partition in generation.partitions():
            yield from verify(generation, partition, expired_is_fine=expired)


def _nothing_at(settings: Settings) -> str:
    return f"{open_archive(settings.archive).where(settings.topics.raw)} is empty, so nothing is archived there"


def _table(holdings: Sequence[Holding]) -> Table:
    table = Table("partition", "files", "records", "MiB", "offsets", "expired", "empty", "written")
    for one in holdings:
        size, offsets = f"{one.bytes / 2**20:,.1f}", f"{one.first}-{one.next - 1}"
        counts = (f"{one.files:,}", f"{one.records:,}", size, offsets, f"{one.expired:,}", f"{one.empty:,}")
        table.add_row(str(one.partition), *counts, one.written)
    return table


def _holdings(settings: Settings) -> Iterator[Holding]:
    for generation in _generations(settings):
        for partition in generation.partitions():
            entries = list(generation.manifest(partition).entries())
            if entries:
                yield _holding(generation.name, partition, entries)


def _holding(generation: str, partition: int, entries: list[Entry]) -> Holding:
    expired = sum(entry.expired for entry in entries)
    gaps = sum(gap.last - gap.first + 1 for entry in entries for gap in entry.gaps)
    return Holding(
        generation=generation,
        partition=partition,
        files=len(entries),
        records=sum(entry.records for entry in entries),
        bytes=sum(entry.bytes for entry in entries),
        first=entries[0].first,
        next=entries[-1].next,
        expired=expired,
        empty=gaps - expired,
        written=datetime.fromtimestamp(entries[-1].written_ms / 1000, UTC).isoformat(timespec="seconds"),
    )


def _generations(settings: Settings) -> list[Generation]:
    store = open_archive(settings.archive)
    return find_generations(store, settings.topics.raw, spool=settings.archive.spool_dir)
