"""A permanent fault stops a worker with one line and exit code 1, and the next worker continues there."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from connectors.qdrant.open import open_index_for_writing
from models.open import load_embedder
from synthetic.tickets import SyntheticRecord, events
from tests.e2e.world import COMMANDS, WorkerProcess, World
from tests.oracle import fold
from tests.rigs.calm import calm_clock
from tests.rigs.qdrant_facade import Fault, QdrantFacade
from tests.rigs.waiting import PATIENCE_S, wait_until

#: A worker under Bytewax whose model fails at its third batch.
_BROKEN = """
import runpy, sys, threading
from models.run.hashing import HashingEmbedder

def embed(self, texts, kind="passage", calls=[0], embed=HashingEmbedder.embed):
    calls[0] += 1
    if calls[0] == 3:
        {breaks}
    return embed(self, texts, kind)

HashingEmbedder.embed = embed
sys.argv = ["bytewax.run", "dataflows.tickets"]
runpy.run_module("bytewax.run", run_name="__main__")
"""
_THROWING: Final = _BROKEN.format(breaks="raise RuntimeError(texts[0])")
_HANGING: Final = _BROKEN.format(breaks="threading.Event().wait()")


def _ends(world: World, command: list[str], **environment: str) -> tuple[int, str, str]:
    """Run a worker until it ends; return its exit code, the one line on standard error, and the whole output."""
    done = subprocess.run(
        command, env=world.environment(**environment), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    everything = done.stderr + done.stdout
    assert "Traceback" not in everything, everything
    lines = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert len(lines) == 1, everything
    return done.returncode, lines[0], everything


def test_a_model_that_raises_stops_the_worker_and_its_batch_is_read_again(tansu: str, tmp_path: Path) -> None:
    """The line has the step and the error's type but no text of a ticket; the next worker reads the batch again."""
    world = World(tansu, tmp_path)
    world.produce(events(400, seed=5))
    code, line, everything = _ends(
        world,
        [sys.executable, "-c", _THROWING],
        TICKETS_WRITER__MAX_BATCH_RECORDS="50",
        TICKETS_WRITER__MAX_CONCURRENT_BATCHES="1",
    )
    assert (code, line) == (1, "ticketstream: writing: embed failed: RuntimeError")
    assert "@example" not in everything
    assert world.committed() < 400, "records that the model has not processed are not committed"
    with WorkerProcess(world) as worker:
        world.wait_committed([worker])
        assert worker.terminate() == 0, worker.output()
    assert world.letters() == []
    embedder = load_embedder(world.settings.model)
    index = open_index_for_writing(world.settings.index, dimension=embedder.dimension, model=embedder.stamp)
    held = {(t.tenant_id, t.ticket_id): t.version for t in index.tickets()}
    index.close()
    assert held == {key: expected.version for key, expected in fold(world.log()).items()}


def test_a_worker_whose_model_hangs_still_exits(tansu: str, tmp_path: Path) -> None:
    """After SIGTERM the worker exits with 0 soon after the drain timeout, and the next one reads the batch again."""
    world = World(tansu, tmp_path, partitions=1)
    world.produce(events(400, seed=5))
    settings = {
        "TICKETS_WRITER__MAX_BATCH_RECORDS": "50",
        "TICKETS_WRITER__MAX_CONCURRENT_BATCHES": "1",
        "TICKETS_WRITER__DRAIN_TIMEOUT_S": "2",
    }
    with WorkerProcess(world, environment=settings, command=[sys.executable, "-c", _HANGING]) as worker:
        polls = "tickets_step_seconds_count"
        wait_until(lambda: worker.metric(polls, step="poll") >= 4, worker.output)  # the fourth batch waits behind it
        began = calm_clock()
        assert worker.terminate() == 0, worker.output()
        took_s = calm_clock() - began
        assert "did not finish and are abandoned without an ack" in worker.output()
    print(f"ended {took_s:.1f} s after SIGTERM")
    assert took_s < 2 + 3 + 5, "drain timeout, close, and room"
    assert world.committed() <= 100, "nothing from the hung batch on is committed"
    with WorkerProcess(world) as worker:
        world.wait_committed([worker])
        assert worker.terminate() == 0, worker.output()
    held = {key: version for key, (version, _deleted) in world.held().items()}
    assert held == {key: expected.version for key, expected in fold(world.log()).items()}


def test_a_worker_whose_index_hangs_still_exits(tansu: str, tmp_path: Path) -> None:
    """Even with a call timeout of a minute the worker exits with 0 after the drain timeout, without a commit."""
    world = World(tansu, tmp_path, partitions=1)
    with QdrantFacade(tmp_path / "qdrant") as facade:
        server = {"TICKETS_INDEX__URL": facade.url, "TICKETS_INDEX__TIMEOUT_S": "60"}
        with WorkerProcess(world, environment={**server, "TICKETS_WRITER__DRAIN_TIMEOUT_S": "2"}) as worker:
            wait_until(lambda: worker.metric("tickets_assigned_partitions") > 0, worker.output)
            facade.inject(Fault("hang", on="writes"))
            world.produce(events(200, seed=5))
            wait_until(lambda: facade.counts().faults.get("hang", 0) > 0, worker.output)
            began = calm_clock()
            assert worker.terminate() == 0, worker.output()
            took_s = calm_clock() - began
        print(f"ended {took_s:.1f} s after SIGTERM")
        assert took_s < 2 + 3 + 5, "drain timeout, close, and room"
        assert (world.committed(), world.letters()) == (0, [])
        facade.heal()
        with WorkerProcess(world, environment=server) as worker:
            world.wait_committed([worker])
            assert worker.terminate() == 0, worker.output()


def _garbage(count: int) -> Iterator[SyntheticRecord]:
    for number, event in enumerate(events(count, seed=6)):
        yield SyntheticRecord(event.key, b"not json %d" % number, "broken")


def test_a_topic_of_broken_records_stops_the_worker(tansu: str, tmp_path: Path) -> None:
    """The line gives the most frequent code; a setting disables the stop."""
    world = World(tansu, tmp_path)
    world.produce(_garbage(3_000))
    code, line, _ = _ends(world, COMMANDS["bytewax"])
    assert code == 1
    assert "records can't be used" in line
    assert "of them for bad_json" in line
    assert len(world.letters()) < 1_000
    assert world.committed() <= len(world.letters()), "committed records are in the dead letters"
    with WorkerProcess(world, environment={"TICKETS_WRITER__MAX_REJECTED_SHARE": "0"}) as worker:
        world.wait_committed([worker])
        assert worker.terminate() == 0, worker.output()
    assert {letter.value for letter in world.letters()} == {record.value for record in world.log()}
