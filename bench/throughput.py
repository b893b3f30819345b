"""Tickets per second through the whole pipeline, and through the model alone, in one run: `make bench`.

Both see the same synthetic tickets. *pipeline*: a backlog on a real broker, read by a consumer group, through every
operator, embedded, written to the embedded index on disk, acked; from the first poll that returned records to the
last ack. *model*: the texts that the pipeline would embed, already in memory, in windows of the same size. Each run
is a process of its own; rounds are interleaved, so that a noisy machine disturbs both alike.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from connectors.broker import start_broker
from connectors.kafka.admin import Cluster
from connectors.kafka.producer import Outgoing, open_sender
from core.records import Batch, Origin, Record, Rejected
from core.settings import load_settings
from models.load import load_embedder
from synthetic.tickets import SyntheticRecord, events
from worker.compose import build_pipeline, ticket_steps
from worker.steps import run_step
from worker.telemetry import Telemetry

app = typer.Typer(add_completion=False, help=__doc__)
err = Console(stderr=True)

_SEED: Final = 7
_PARTITIONS: Final = 4
_LOOK_S: Final = 0.05
TicketsOption = Annotated[int, typer.Option(help="Synthetic tickets of a run.")]


@app.command()
def compare(
    *,
    tickets: TicketsOption = 4000,
    rounds: Annotated[int, typer.Option(min=1, help="Interleaved rounds; the medians are printed.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print rows for a script.")] = False,
) -> None:
    """Run both, interleaved, and print the medians."""
    with tempfile.TemporaryDirectory(prefix="ticketstream-bench-") as name, start_broker() as broker:
        os.environ["TICKETS_KAFKA__BROKERS"] = broker.address
        _produce(tickets)
        rows: list[dict[str, Any]] = []
        for number in track(range(rounds), "rounds", console=err):
            for contender in ("model", "pipeline"):
                environment = {
                    **os.environ,
                    "TICKETS_KAFKA__GROUP": f"bench-{number}",
                    "TICKETS_INDEX__PATH": str(Path(name) / f"index-{number}"),
                    "TICKETS_HEALTH__PORT": "0",
                    "TICKETS_LOG__LEVEL": "error",
                    "TICKETS_MODEL__REMEMBERED_TEXTS": "0",  # speed, not luck
                }
                done = subprocess.run(
                    [sys.executable, "-m", "bench.throughput", contender, "--tickets", str(tickets)],
                    env=environment,
                    stdout=subprocess.PIPE,
                    text=True,
                    check=True,
                )
                rows.append({"contender": contender, "round": number, **json.loads(done.stdout)})
    if as_json:
        print(json.dumps({"machine": _machine(), "rows": rows}))
    else:
        _print(rows)


@app.command()
def model(*, tickets: TicketsOption = 4000) -> None:
    """Embed the tickets' texts; prints one JSON object."""
    settings = load_settings()
    tokens = _Tokens()
    embedder = load_embedder(settings.model, on_batch=tokens.add)
    steps = [step for step in ticket_steps(settings, embedder) if step.name not in {"embed", "classify", "points"}]
    batch: Batch[Any] = Batch(tuple(_records(tickets)), None)
    for step in steps:
        batch = run_step(step, batch, Telemetry())
    windows = []
    for start in range(0, tickets, settings.writer.max_batch_tickets):
        window = batch.items[start : start + settings.writer.max_batch_tickets]
        passages = [p for item in window if not isinstance(item, Rejected) for p in item.passages]
        windows.append(list(dict.fromkeys(p.embed_text for p in passages)))  # as the pipeline does: each text once
    embedder.embed(windows[0])  # warm
    tokens.count = 0
    began = time.perf_counter()
    for texts in windows:
        embedder.embed(texts)
    _report(tickets, time.perf_counter() - began, tokens.count)


@app.command()
def pipeline(*, tickets: TicketsOption = 4000) -> None:
    """Drain the backlog; prints one JSON object."""
    settings = load_settings()
    running = build_pipeline(settings)
    read, began = 0, 0.0
    registry = running.telemetry.registry
    looked = 0.0
    while True:
        if time.perf_counter() - looked > _LOOK_S:  # reading every metric takes a millisecond
            looked = time.perf_counter()
            if _sum(registry, "tickets_acked_total") >= tickets:
                break
        batch: Batch[Any] | None = running.poll()
        if batch is None:
            continue
        began = began or time.perf_counter()
        read += len(batch.items)
        for step in running.steps:
            batch = running.run_step(step, batch)
        running.submit(batch)
    seconds = time.perf_counter() - began
    tokens = _sum(registry, "tickets_model_tokens_total")
    running.stop()
    while not running.finished:
        running.poll()
    running.close()
    _report(read, seconds, int(tokens))


class _Tokens:
    count = 0

    def add(self, tokens: int, _padding: int) -> None:
        self.count += tokens


def _sum(registry: Any, name: str) -> float:
    return float(sum(s.value for family in registry.collect() for s in family.samples if s.name == name))


def _report(tickets: int, seconds: float, tokens: int) -> None:
    print(json.dumps({"tickets": tickets, "seconds": round(seconds, 3), "tokens": tokens}))


def _events(tickets: int) -> list[SyntheticRecord]:
    return list(events(tickets, seed=_SEED, edits=0, deletes=0, duplicates=0))


def _records(tickets: int) -> list[Record]:
    return [Record(Origin("bench", 0, n), e.key, e.value, 0, e.headers) for n, e in enumerate(_events(tickets))]


def _produce(tickets: int) -> None:
    settings = load_settings()
    cluster = Cluster(settings.kafka)
    for topic in (settings.topics.raw, settings.topics.dlq):
        cluster.create_topic(topic, partitions=_PARTITIONS, replication=1, config={})
    sender = open_sender(settings.kafka)
    sender.send([Outgoing(settings.topics.raw, e.key, e.value, e.headers) for e in _events(tickets)])
    sender.close()


def _machine() -> str:
    return f"{len(os.sched_getaffinity(0))} cores, {platform.machine()}, Python {platform.python_version()}"


def _print(rows: list[dict[str, Any]]) -> None:
    table = Table(
        title=f"ticketstream {version('ticketstream')}, {_machine()}, "
        f"medians of {len(rows) // 2} interleaved rounds of {rows[0]['tickets']:,} tickets",
        title_justify="left",
    )
    for name in ("", "tickets/s", "tokens/s", "spread"):
        table.add_column(name, justify="right" if name else "left")
    medians = {}
    for contender in ("model", "pipeline"):
        speeds = [row["tickets"] / row["seconds"] for row in rows if row["contender"] == contender]
        tokens = [row["tokens"] / row["seconds"] for row in rows if row["contender"] == contender]
        medians[contender] = statistics.median(tokens)
        spread = f"{min(speeds):,.0f} to {max(speeds):,.0f}"
        table.add_row(contender, f"{statistics.median(speeds):,.0f}", f"{medians[contender]:,.0f}", spread)
    Console(width=110).print(table)
    print(f"pipeline ÷ model, tokens/s: {medians['pipeline'] / medians['model']:.2f}")


if __name__ == "__main__":
    app()
