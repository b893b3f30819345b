"""Two workers of one group write to one Qdrant server, and one of them is killed."""

import time
from pathlib import Path

from connectors.qdrant.open import open_index_for_writing
from core.settings import IndexSettings
from models.open import load_embedder
from synthetic.tickets import events
from tests.contracts.digest import contents
from tests.e2e.world import WorkerProcess, World, assert_same
from tests.rigs.qdrant_facade import QdrantFacade
from tests.rigs.waiting import wait_until


def test_two_workers_share_the_partitions_and_a_kill_loses_nothing(kafka: str, tmp_path: Path) -> None:
    """After `kill -9` of one under load the other reads the rest, and the index is the fold of the log."""
    world = World(kafka, tmp_path, partitions=6)
    with QdrantFacade(tmp_path / "qdrant") as facade:
        server = {"TICKETS_INDEX__URL": facade.url}
        everything = list(events(3000, seed=5))
        world.produce(everything[:600])
        with WorkerProcess(world, environment=server) as one, WorkerProcess(world, environment=server) as two:
            wait_until(lambda: _shared([one, two]), lambda: f"not shared: {one.output()}\n{two.output()}")
            world.produce(everything[600:])
            read_before = two.metric("tickets_records_total")
            wait_until(lambda: two.metric("tickets_records_total") > read_before, two.output)
            time.sleep(0.05)
            two.kill()
            world.wait_committed([one])
            assert one.metric("tickets_assigned_partitions") == 6
            assert one.terminate() == 0, one.output()

        embedder = load_embedder(world.settings.model)
        index = open_index_for_writing(
            IndexSettings(url=facade.url), dimension=embedder.dimension, model=embedder.stamp
        )
        found = contents(index)
        index.close()
    assert_same(found, world.folded(world.log()))


def _shared(workers: list[WorkerProcess]) -> bool:
    for worker in workers:
        worker.assert_runs()
    return all(worker.metric("tickets_assigned_partitions") == 3 for worker in workers)
