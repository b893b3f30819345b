"""`ticketstream status`: how far the stream is, and how big the index."""

from contextlib import ExitStack
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from cli.console import JsonFlag, StagedFlag, ends_in_one_line, out, print_json
from connectors.kafka.admin import PartitionLag, open_cluster
from core.environment import load_settings
from runtime.control import WorkerStatus
from runtime.searcher import open_searcher
from stream.roles import EMBEDDING, ENRICHMENT, PIPELINE


@ends_in_one_line
def status(
    *,
    split: Annotated[bool, typer.Option("--split", help="For a split stream: show the groups of both roles.")] = False,
    _staged: StagedFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Show lag and committed offset per partition, the index's size, and how fresh it is."""
    settings = load_settings()
    cluster, roles = open_cluster(settings.kafka), (ENRICHMENT, EMBEDDING) if split else (PIPELINE,)
    read = {role.group(settings.kafka): role.reads(settings.topics) for role in roles}
    groups = {group: cluster.lag(topic, group) for group, topic in read.items()}
    with ExitStack() as stack:
        index = open_searcher(settings, stack).status()
    if as_json:
        shown = [{"group": group, "partitions": [_row(lag) for lag in lags]} for group, lags in groups.items()]
        print_json({**(shown[0] if not split else {"roles": shown}), "index": index})
        return
    for group, lags in groups.items():
        out.print(_lag_table(lags, group))
    out.print(_index_table(index))


def _row(lag: PartitionLag) -> dict[str, Any]:
    return {"topic": lag.topic, "partition": lag.partition, "committed": lag.committed, "end": lag.end, "lag": lag.lag}


def _lag_table(lags: list[PartitionLag], group: str) -> Table:
    table = Table(title=f"{lags[0].topic if lags else ''}, read by group {group}", title_justify="left")
    for name in ("partition", "committed", "end", "lag"):
        table.add_column(name, justify="right")
    for lag in lags:
        committed = "none yet" if lag.committed is None else f"{lag.committed:,}"
        table.add_row(str(lag.partition), committed, f"{lag.end:,}", f"{lag.lag:,}")
    table.add_section()
    table.add_row("all", "", "", f"{sum(lag.lag for lag in lags):,}")
    return table


def _index_table(index: WorkerStatus) -> Table:
    table = Table(title="index", title_justify="left", show_header=False)
    table.add_row("model", index.model)
    table.add_row("points", f"{index.points:,}")
    table.add_row("tombstones", f"{index.tombstones:,}")
    table.add_row("records in flight", f"{index.inflight:,}")
    fresh = "no worker here to ask" if index.freshness_s is None else f"{index.freshness_s:.2f} s"
    table.add_row("broker to searchable, median of the last", fresh)
    if index.outage:
        table.add_row(Text("outage", style="red"), index.outage)
    return table
