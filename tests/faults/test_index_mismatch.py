"""Workers stop when their index is lost, emptied, rolled back or replaced while they run."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectors.qdrant.open import open_index_for_writing
from core.settings import IndexSettings
from models.open import load_embedder
from synthetic.tickets import events
from tests.e2e.mismatches import REREAD, contents_of, drain, is_whole, read_again, stops
from tests.e2e.terminal import Terminal
from tests.e2e.world import WorkerProcess, World, assert_same
from tests.rigs.calm import calm_clock
from tests.rigs.kafka import Kafka
from tests.rigs.qdrant_facade import QdrantFacade
from tests.rigs.waiting import wait_until

pytestmark = pytest.mark.skipif("TICKETS_TEST_REPORT" not in os.environ, reason="make faults runs it")


@pytest.fixture
def world(apache_kafka: Kafka, tmp_path: Path) -> World:
    """A stream without records, on Apache Kafka: the local broker may leave one of two new members unassigned."""
    return World(apache_kafka.address, tmp_path)


class _Server:
    """A server whose folder can be rolled back to a copy while workers run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._facade = QdrantFacade(folder)
        self.settings = IndexSettings(url=self._facade.url)
        self.environment = {"TICKETS_INDEX__URL": self._facade.url, "TICKETS_WRITER__BACKOFF_MAX_S": "0.5"}

    def copy(self) -> Path:
        """A copy of its present contents."""
        copy = self._folder.with_name("copy")
        self._stopped(lambda: shutil.copytree(self._folder, copy))
        return copy

    def put_back(self, copy: Path | None) -> None:
        """Continue with the copy's contents, or with none."""

        def replace() -> None:
            shutil.rmtree(self._folder)
            if copy is not None:
                copy.rename(self._folder)

        self._stopped(replace)

    def close(self) -> None:
        """Stop it."""
        self._facade.close()

    def _stopped(self, change: Callable[[], object]) -> None:
        port = self._facade.port
        self._facade.close()
        change()
        self._facade = QdrantFacade(self._folder, port=port)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[_Server]:
    """A server without collections."""
    found = _Server(tmp_path / "server")
    yield found
    found.close()


def test_a_collection_emptied_under_its_workers_stops_them(world: World, server: _Server) -> None:
    """Workers don't write to a recreated collection; after a restart they read the whole log again."""
    world.produce(events(200, seed=4))
    embedder = load_embedder(world.settings.model)
    with WorkerProcess(world, environment=server.environment) as worker:
        world.wait_committed([worker])
        began = calm_clock()
        server.put_back(None)
        open_index_for_writing(server.settings, dimension=embedder.dimension, model=embedder.stamp).close()
        stops(world, began, worker, "the index")
    read_again(world, **server.environment)
    assert_same(contents_of(world, server.settings), world.folded(world.log()))


def test_a_server_put_back_under_its_workers_stops_them(world: World, server: _Server) -> None:
    """Both workers of a group stop, resurrected tickets are not shown, and the group's offsets are reset."""
    world.produce(events(200, seed=5))
    terminal = Terminal(world, **server.environment)
    pair = [WorkerProcess(world, environment=server.environment) for _ in range(2)]
    with pair[0] as one, pair[1] as other:
        world.wait_committed(pair)
        copy = server.copy()
        world.produce(events(200, seed=6, deletes=0.5))
        world.wait_committed(pair)
        began = calm_clock()
        server.put_back(copy)
        stops(world, began, one, "the index")
        assert other.wait() == 3
    assert "must be read again" in terminal.failure("search", "--tenant", "acme", "card", code=3)
    pair = [WorkerProcess(world, environment=server.environment | REREAD) for _ in range(2)]
    with pair[0] as one, pair[1] as other:
        for worker in pair:
            wait_until(lambda: is_whole(worker), worker.output)  # noqa: B023
        world.wait_committed(pair)
        assert [one.terminate(), other.terminate()] == [0, 0]
    assert_same(contents_of(world, server.settings), world.folded(world.log()))
    terminal.run("search", "--tenant", "acme", "card")


def test_a_folder_replaced_under_its_worker_stops_it(world: World) -> None:
    """A worker whose folder was replaced stops, as it would write to files that no later start opens."""
    world.produce(events(50, seed=7))
    drain(world)
    path = world.settings.index.path
    shutil.copytree(path, path.with_name("copy"))
    with WorkerProcess(world) as worker:
        wait_until(lambda: worker.metric("tickets_assigned_partitions") == 4, worker.output)
        began = calm_clock()
        path.rename(path.with_name("old"))
        path.with_name("copy").rename(path)
        stops(world, began, worker, "was removed or replaced while it was in use")
