"""A rebalance storm: workers join, stop and are killed under load.

`python -m tests.faults.storm` compares group protocols and assignors on Apache Kafka.
"""

import argparse
import gc
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import astuple
from rich.console import Console
from rich.table import Table

from synthetic.tickets import events
from tests.e2e.world import WorkerProcess
from tests.faults.arena import Arena
from tests.faults.choices import shuffled
from tests.faults.crowd import PATIENCE_S
from tests.faults.oracle import require
from tests.faults.report import Report
from tests.rigs.kafka import start_kafka

#: The settings of each group protocol or assignor.
PROTOCOLS: Final[dict[str, dict[str, Any]]] = {
    "cooperative-sticky": {"KAFKA__ASSIGNMENT_STRATEGY": "cooperative-sticky"},
    "range": {"KAFKA__ASSIGNMENT_STRATEGY": "range"},
    "consumer": {"KAFKA__GROUP_PROTOCOL": "consumer"},
}
_FEWEST: Final = 2
_MOST: Final = 4


class Outcome(Struct, frozen=True):
    """The counts of a storm, `again` for repeated acks, and the log of its workers."""

    joined: int
    left: int
    killed: int
    again: int
    records: int
    said: str = ""

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(*(mine + its for mine, its in zip(astuple(self), astuple(other), strict=True)))

    @property
    def share(self) -> float:
        """The share of repeated acks."""
        return self.again / max(1, self.records)


@contextmanager
def _without_collections() -> Iterator[None]:
    """Disable garbage collection, which would stop the server in this process for seconds."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@_without_collections()
def storm(
    arena: Arena, rng: Random, *, seconds: float, kills: float, rate: float, ended: Callable[[], bool] = lambda: False
) -> Outcome:
    """Start, stop and kill members for `seconds`, and until each was done once; then judge.

    Args:
        arena: without workers.
        rng: the random choices.
        seconds: duration.
        kills: share of the leaving members that are killed; the first always is.
        rate: records a second.
        ended: whether the run has no time left.

    Raises:
        BrokenError: a promise was broken, or there was no storm.
    """
    joined = left = killed = 0
    for _ in range(_FEWEST):
        arena.start()
    arena.await_assigned(_FEWEST)
    made = events(10**9, seed=rng.randrange(10**6), edits=0.35, deletes=0.06, broken=0.02)
    arena.feeder.start(shuffled(made, rng), rate=rate)
    began = time.monotonic()
    while not (joined and left and killed) or (time.monotonic() - began < seconds and not ended()):
        late = time.monotonic() - began > seconds + PATIENCE_S
        require("count", not late, f"no storm: {joined} joined, {left} left, {killed} were killed")
        time.sleep(rng.uniform(0.2, 2.0))
        ready = [worker for worker in arena.workers if _ready(worker)]
        if len(arena.workers) <= _FEWEST or (len(arena.workers) < _MOST and rng.random() < 0.5):
            arena.start()
            joined += 1
        elif not ready:
            continue
        elif not killed or (left and rng.random() < kills):
            arena.kill(rng.choice(ready))
            killed += 1
        else:
            arena.terminate(rng.choice(ready))
            left += 1
    arena.section.note(f"{joined} joined, {left} left, {killed} were killed")
    arena.finish()
    again, records = arena.duplicates()
    return Outcome(joined, left, killed, again, records, arena.timeline())


def _ready(worker: WorkerProcess) -> bool:
    """Whether the worker has installed its signal handler, before which SIGTERM kills it."""
    return '"reading ' in worker.output() and worker.metric("tickets_build_info") > 0


def compare(names: Sequence[str], seconds: float, seed: int) -> None:
    """Run a storm with the same choices under each protocol, and print a table."""
    report = Report(seed)
    table = Table("protocol", "records", "joined", "left", "killed", "done twice", "share", "lost")
    with start_kafka() as kafka, tempfile.TemporaryDirectory() as folder:
        for name in names:
            section = report.section(name, "A storm.")
            rng = Random(seed)
            arena = Arena(
                kafka.address,
                Path(folder) / name,
                section,
                rng,
                server=True,
                record=True,
                watched=False,
                partitions=12,
                session_timeout_s=6,
                **PROTOCOLS[name],
            )
            with arena:
                outcome = storm(arena, rng, seconds=seconds, kills=0.25, rate=200)
            counts = (outcome.records, outcome.joined, outcome.left, outcome.killed, outcome.again)
            table.add_row(name, *map(str, counts), f"{outcome.share:.2%}", "0")  # a loss would have raised
    Console().print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("protocols", nargs="*", default=list(PROTOCOLS), metavar="|".join(PROTOCOLS))
    parser.add_argument("--seconds", type=float, default=45)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    compare(chosen.protocols, chosen.seconds, chosen.seed)
