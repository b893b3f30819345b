"""Steps of the tests in which an index and a group's offsets don't match."""

from typing import Any, Final

from connectors.qdrant.open import open_index_for_writing
from core.settings import IndexSettings
from models.open import load_embedder
from tests.contracts.digest import contents
from tests.e2e.world import WorkerProcess, World
from tests.rigs.calm import calm_clock
from tests.rigs.waiting import wait_until

#: Time in which a worker reports what is wrong, on an idle machine.
_SAID_S: Final = 10.0
REREAD: Final = {"TICKETS_INDEX__ON_MISMATCH": "reread"}


def drain(world: World, **environment: str) -> None:
    """Run a worker until everything is committed."""
    with WorkerProcess(world, environment=environment) as worker:
        world.wait_committed([worker])
        assert worker.terminate() == 0, worker.output()


def read_again(world: World, **environment: str) -> None:
    """Run a worker until the index holds what the group had committed before."""
    with WorkerProcess(world, environment=environment | REREAD) as worker:
        wait_until(lambda: is_whole(worker), worker.output)
        world.wait_committed([worker])
        assert worker.terminate() == 0, worker.output()


def is_whole(worker: WorkerProcess) -> bool:
    """Whether the worker reads, and its index is complete again."""
    worker.assert_runs()
    joined = worker.metric("tickets_assigned_partitions") > 0
    return joined and not worker.metric("tickets_index_missing_records")


def contents_of(world: World, settings: IndexSettings) -> dict[str, Any]:
    """The points of an index."""
    embedder = load_embedder(world.settings.model)
    index = open_index_for_writing(settings, dimension=embedder.dimension, model=embedder.stamp)
    try:
        return contents(index)
    finally:
        index.close()


def stops(world: World, since: float, worker: WorkerProcess, reason: str) -> None:
    """The worker shows `reason` in /ready and the metric, exits with 3 and one line, and commits nothing."""
    before = world.committed()
    wait_until(lambda: worker.metric("tickets_index_mismatch") == 1, worker.output, every_s=0.1)
    assert calm_clock() - since <= _SAID_S
    ready, said = worker.ready()
    assert not ready
    assert reason in said
    assert worker.wait() == 3
    last = worker.output().strip().splitlines()[-1]
    assert last.startswith("ticketstream: the index")
    assert reason in last
    assert "Traceback" not in worker.output()
    assert world.committed() == before
