"""The whole stream with a real broker, workers as processes and the embedded engine on disk."""

from pathlib import Path
from typing import Any

import pytest

from connectors.qdrant.open import open_index_for_writing
from models.open import load_embedder
from synthetic.tickets import events
from tests.contracts.digest import contents
from tests.e2e.world import Runner, WorkerProcess, World, assert_same
from tests.oracle import broken, fold


@pytest.mark.parametrize("runner", ["bytewax", "plain"])
def test_the_index_is_the_fold_of_the_log(kafka: str, tmp_path: Path, runner: Runner) -> None:
    """After a log of all kinds of records, read in two runs, the index is the fold and SIGTERM exits with 0."""
    world = World(kafka, tmp_path)
    first, second = _halves()
    world.produce(first)
    with WorkerProcess(world, runner) as worker:
        world.wait_committed([worker])
        assert worker.terminate() == 0, worker.output()
    _assert_index_equals_log(world)

    world.produce(second)
    with WorkerProcess(world, runner) as worker:
        world.wait_committed([worker])
        assert worker.metric("tickets_records_total") == len(second), "the second run starts where the first stopped"
        assert worker.terminate() == 0, worker.output()
        assert "@example" not in worker.output(), "no ticket's text in the log"
    _assert_index_equals_log(world)


def test_a_replay_of_the_whole_log_changes_nothing(tansu: str, tmp_path: Path) -> None:
    """Reading the log again in another group leaves the index unchanged, counts superseded events, and repeats the dead
    letters."""
    world = World(tansu, tmp_path)
    world.produce(events(300, seed=3, broken=0.05))
    held = []
    for group in ("one", "two"):
        world.settings = world.settings.model_copy(
            update={"kafka": world.settings.kafka.model_copy(update={"group": f"{world.settings.kafka.group}-{group}"})}
        )
        with WorkerProcess(world) as worker:
            world.wait_committed([worker])
            superseded = worker.metric("tickets_superseded_total")
            assert worker.terminate() == 0, worker.output()
        held.append(_contents(world))
    assert_same(held[0], held[1])
    assert superseded > 0
    assert len(world.letters()) == 2 * len(broken(world.log()))


def _halves() -> tuple[list, list]:  # type: ignore[type-arg]
    everything = list(events(700, seed=11, broken=0.05))
    return everything[:500], everything[500:]


def _assert_index_equals_log(world: World) -> None:
    log = world.log()
    assert len(log) == world.produced
    embedder = load_embedder(world.settings.model)
    index = open_index_for_writing(world.settings.index, dimension=embedder.dimension, model=embedder.stamp)
    held = {(t.tenant_id, t.ticket_id): (t.version, t.deleted) for t in index.tickets()}
    found = contents(index)
    index.close()
    assert held == {key: (expected.version, expected.deleted) for key, expected in fold(log).items()}
    assert_same(found, world.folded(log))

    raw = world.settings.topics.raw
    letters = {
        (h["dlq-topic"].decode(), int(h["dlq-partition"]), int(h["dlq-offset"])): letter.value
        for letter in world.letters()
        for h in [{name: value or b"" for name, value in letter.headers}]
    }
    expected = {(raw, r.origin.partition, r.origin.offset): r.value for r in broken(log)}
    assert letters == expected


def _contents(world: World) -> dict[str, Any]:
    embedder = load_embedder(world.settings.model)
    index = open_index_for_writing(world.settings.index, dimension=embedder.dimension, model=embedder.stamp)
    try:
        return contents(index)
    finally:
        index.close()
