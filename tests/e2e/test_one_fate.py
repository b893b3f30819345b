"""An index and a group's offsets that no longer belong together are noticed, said, and mended by reading again."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient

from connectors.qdrant.open import open_index_for_writing
from core.settings import IndexSettings
from models.open import load_embedder
from synthetic.tickets import events
from tests.contracts.digest import contents
from tests.e2e.terminal import Terminal
from tests.e2e.world import WorkerProcess, World, assert_same
from tests.rigs.calm import calm_clock
from tests.rigs.qdrant_facade import QdrantFacade
from tests.rigs.waiting import wait_until

#: A worker has said by then what is wrong, in calm seconds.
_SAID_S = 10.0
_REREAD = {"TICKETS_INDEX__ON_MISMATCH": "reread"}


@pytest.fixture
def world(tansu: str, tmp_path: Path) -> World:
    """A stream without records, on the broker in TICKETS_TEST_KAFKA if that is set."""
    own = os.environ.get("TICKETS_TEST_KAFKA")
    return World(own or tansu, tmp_path, session_timeout_s=6 if own else 1)


def _drain(world: World, **environment: str) -> None:
    with WorkerProcess(world, environment=environment) as worker:
        world.wait_committed([worker])
        assert worker.terminate() == 0, worker.output()


def _read_again(world: World, **environment: str) -> None:
    """Run a worker until the index holds what the group had committed before."""
    with WorkerProcess(world, environment=environment | _REREAD) as worker:
        wait_until(lambda: _is_whole(worker), worker.output)
        world.wait_committed([worker])
        assert worker.terminate() == 0, worker.output()


def _is_whole(worker: WorkerProcess) -> bool:
    worker.assert_runs()
    joined = worker.metric("tickets_assigned_partitions") > 0
    return joined and not worker.metric("tickets_index_missing_records")


def _contents(world: World, settings: IndexSettings) -> dict[str, Any]:
    embedder = load_embedder(world.settings.model)
    index = open_index_for_writing(settings, dimension=embedder.dimension, model=embedder.stamp)
    try:
        return contents(index)
    finally:
        index.close()


def _stops(world: World, since: float, worker: WorkerProcess, reason: str) -> None:
    """The worker says `reason` by /ready and the metric, then in a line, and exits with 3; nothing is committed."""
    before = world.committed()
    wait_until(lambda: reason in worker.ready()[1], worker.output, every_s=0.1)
    assert calm_clock() - since <= _SAID_S
    assert worker.ready()[0] is False
    assert worker.metric("tickets_index_mismatch") == 1
    assert worker.wait() == 3
    last = worker.output().strip().splitlines()[-1]
    assert last.startswith("ticketstream: the index")
    assert reason in last
    assert "Traceback" not in worker.output()
    assert world.committed() == before


def test_a_lost_index_stops_the_worker_and_is_read_again(world: World) -> None:
    """No search is answered by what is left; `status` and `doctor` say why; read again, the index is the fold."""
    world.produce(events(200, seed=1, edits=0.3, deletes=0.1))
    _drain(world)
    terminal = Terminal(world)
    assert terminal.json("status")["fault"] is None
    shutil.rmtree(world.settings.index.path)
    assert "there is no index, but group" in terminal.json("status")["fault"]
    began = calm_clock()
    with WorkerProcess(world) as worker:
        _stops(world, began, worker, "the index lacks 200 record(s)")
    assert "must be read again: it lacks 200 record(s)" in terminal.json("status")["fault"]
    assert "lacks 200" in terminal.failure("search", "--tenant", "acme", "card", code=3)
    assert "lacks 200" in next(
        f["detail"] for f in terminal.json("doctor", code=3) if f["check"] == "index and offsets"
    )
    _read_again(world)
    assert_same(_contents(world, world.settings.index), world.folded(world.log()))
    assert terminal.json("status")["fault"] is None
    assert all(f["healthy"] for f in terminal.json("doctor", code=3) if f["check"].startswith("index")), "topics lack"
    terminal.run("search", "--tenant", "acme", "card")


def test_a_topic_that_was_created_again_stops_the_worker(world: World) -> None:
    """Its records aren't mixed with the tickets of the old one; `rebuild` is the way on."""
    world.produce(events(100, seed=2))
    _drain(world)
    _create_again(world)
    world.produced = 0
    world.produce(events(50, seed=3))
    began = calm_clock()
    with WorkerProcess(world) as worker:
        _stops(world, began, worker, f"topic {world.settings.topics.raw} was deleted and created again")
    assert "created again" in Terminal(world).json("status")["fault"]
    assert "belongs to another log" in Terminal(world).failure("reconcile", "--repair", code=2)
    Terminal(world).json("rebuild")
    _drain(world)
    assert_same(_contents(world, world.settings.index), world.folded(world.log()))


def _create_again(world: World) -> None:
    topic = world.settings.topics.raw
    client = AdminClient({"bootstrap.servers": world.settings.kafka.brokers})
    client.delete_topics([topic])[topic].result(10)
    wait_until(lambda: topic not in world.cluster.topics(), every_s=0.1)
    world.cluster.create_topic(topic, partitions=4, replication=1, config={})


class _Server:
    """A server whose folder can be put back to a copy while workers run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._facade = QdrantFacade(folder)
        self.settings = IndexSettings(url=self._facade.url)
        self.environment = {"TICKETS_INDEX__URL": self._facade.url, "TICKETS_WRITER__BACKOFF_MAX_S": "0.5"}

    def copy(self) -> Path:
        """A copy of what it holds now."""
        copy = self._folder.with_name("copy")
        self._stopped(lambda: shutil.copytree(self._folder, copy))
        return copy

    def put_back(self, copy: Path | None) -> None:
        """Go on with what the copy holds, or with nothing."""

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
    """A collection created again is not written to as if nothing had happened, and the workers read it full again."""
    world.produce(events(200, seed=4))
    embedder = load_embedder(world.settings.model)
    with WorkerProcess(world, environment=server.environment) as worker:
        world.wait_committed([worker])
        began = calm_clock()
        server.put_back(None)
        open_index_for_writing(server.settings, dimension=embedder.dimension, model=embedder.stamp).close()
        _stops(world, began, worker, "the index")
    _read_again(world, **server.environment)
    assert_same(_contents(world, server.settings), world.folded(world.log()))


def test_a_server_put_back_under_its_workers_stops_them(world: World, server: _Server) -> None:
    """Both workers of a group notice, the deleted tickets that are back are not shown, and the group is set back."""
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
        _stops(world, began, one, "the index")
        assert other.wait() == 3
    assert "must be read again" in terminal.failure("search", "--tenant", "acme", "card", code=3)
    pair = [WorkerProcess(world, environment=server.environment | _REREAD) for _ in range(2)]
    with pair[0] as one, pair[1] as other:
        for worker in pair:
            wait_until(lambda: _is_whole(worker), worker.output)  # noqa: B023
        world.wait_committed(pair)
        assert [one.terminate(), other.terminate()] == [0, 0]
    assert_same(_contents(world, server.settings), world.folded(world.log()))
    terminal.run("search", "--tenant", "acme", "card")


def test_a_folder_replaced_under_its_worker_stops_it(world: World) -> None:
    """The worker would go on writing to files that no later start opens."""
    world.produce(events(50, seed=7))
    _drain(world)
    path = world.settings.index.path
    shutil.copytree(path, path.with_name("copy"))
    with WorkerProcess(world) as worker:
        wait_until(lambda: worker.metric("tickets_assigned_partitions") == 4, worker.output)
        began = calm_clock()
        path.rename(path.with_name("old"))
        path.with_name("copy").rename(path)
        _stops(world, began, worker, "was removed or replaced while it was in use")
