"""`ticketstream status`: show consumer lag, the size of the index and its freshness."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Annotated

import typer
from msgspec import Struct
from rich.table import Table
from rich.text import Text

from cli.console import JsonFlag, StagedFlag, out, print_json, report_errors
from connectors.kafka.admin import open_cluster
from connectors.kafka.lag import PartitionLag
from connectors.qdrant.engine import NoIndexError
from core.environment import load_settings
from core.errors import TicketstreamError
from core.settings import Settings
from maintenance.workers import WorkersLog
from runtime.control import WorkerStatus
from runtime.searcher import open_searcher
from stream.roles import EMBEDDING, ENRICHMENT, PIPELINE


class PartitionRow(Struct, frozen=True):
    """Offsets of a group in a partition.

    Attributes:
        committed: None before its first commit.
        expired: records that were deleted before the group had read them.
    """

    topic: str
    partition: int
    committed: int | None
    end: int
    lag: int
    expired: int


class GroupStatus(Struct, frozen=True):
    """A consumer group and the partitions that it reads."""

    group: str
    partitions: list[PartitionRow]


class StreamStatus(GroupStatus, frozen=True):
    """Output of `--json`.

    `fault`: the reason why the index doesn't match the group's offsets, or can't be read; or None.
    """

    index: WorkerStatus | None
    fault: str | None


class SplitStatus(Struct, frozen=True):
    """Output of `--split --json`. `fault` is of the embedding role's group."""

    roles: list[GroupStatus]
    index: WorkerStatus | None
    fault: str | None


@report_errors
def status(
    *,
    split: Annotated[bool, typer.Option("--split", help="For a split stream: show the groups of both roles.")] = False,
    _staged: StagedFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Show how far the stream is behind in each partition, and the size and freshness of the index.

    If the index can't be read, it shows the rest, and ends with the error and its exit code.

    Freshness is the median time that recent tickets took from the broker's timestamp until they were searchable. Only
    a worker that owns an embedded index knows it.
    """
    settings = load_settings()
    cluster, roles = open_cluster(settings.kafka), (ENRICHMENT, EMBEDDING) if split else (PIPELINE,)
    read = {role.group(settings.kafka): role.reads(settings.topics) for role in roles}
    groups = [GroupStatus(group, [_row(lag) for lag in cluster.lag(topic, group)]) for group, topic in read.items()]
    workers = WorkersLog(settings, split=split)
    committed = workers.committed()
    index, unreadable = _index(settings)
    fault = workers.fault_of(index, committed) if unreadable is None else str(unreadable)
    if not as_json:
        for group in groups:
            out.print(f"{group.partitions[0].topic}, read by group {group.group}", style="italic", highlight=False)
            out.print(_lag_table(group))
            for line in _losses(group):
                out.print(Text(line, style="red"), soft_wrap=True)
        if unreadable is None:
            out.print(_index_table(index))
        if unreadable is None and fault is not None:
            out.print(Text.assemble(("fault", "bold red"), f": {fault}"), soft_wrap=True)
    elif split:
        print_json(SplitStatus(groups, index, fault))
    else:
        print_json(StreamStatus(groups[0].group, groups[0].partitions, index, fault))
    if unreadable is not None:
        raise unreadable


def _index(settings: Settings) -> tuple[WorkerStatus | None, TicketstreamError | None]:
    """The index's status, or None before the first worker has created it; and the error if it can't be read."""
    try:
        with ExitStack() as stack:
            return open_searcher(settings, stack).status(), None
    except NoIndexError:
        return None, None
    except TicketstreamError as error:
        return None, error


def _row(lag: PartitionLag) -> PartitionRow:
    return PartitionRow(lag.topic, lag.partition, lag.committed, lag.end, lag.lag, lag.expired)


def _lag_table(found: GroupStatus) -> Table:
    table = Table()
    for name in ("partition", "committed", "end", "lag"):
        table.add_column(name, justify="right")
    for row in found.partitions:
        committed = "none yet" if row.committed is None else f"{row.committed:,}"
        table.add_row(str(row.partition), committed, f"{row.end:,}", f"{row.lag:,}")
    table.add_section()
    table.add_row("all", "", "", f"{sum(row.lag for row in found.partitions):,}")
    return table


def _losses(found: GroupStatus) -> Iterator[str]:
    for row in found.partitions:
        if row.expired:
            yield f"{row.topic}[{row.partition}]: {row.expired:,} records were deleted before the group had read them"


def _index_table(index: WorkerStatus | None) -> Table:
    table = Table(title="index", title_justify="left", show_header=False)
    if index is None:
        table.add_row("none yet", "the first worker creates it")
        return table
    table.add_row("model", index.model)
    table.add_row("tickets", f"{index.tickets:,}")
    table.add_row("points", f"{index.points:,}")
    table.add_row("tombstones", f"{index.tombstones:,}")
    table.add_row("records in flight", f"{index.inflight:,}")
    fresh = (
        "unknown without a running worker that has indexed a ticket"
        if index.freshness_s is None
        else f"{index.freshness_s:.2f} s"
    )
    table.add_row("median time from broker to searchable", fresh)
    if index.outage:
        table.add_row(Text("outage", style="red"), index.outage)
    return table
