"""Backup, restore and compaction of an embedded index, with a worker and its log."""

from pathlib import Path
from typing import Final

import pytest

from connectors.qdrant.open import open_index_for_writing
from models.open import load_embedder
from synthetic.tickets import events
from tests.contracts.digest import Contents, contents
from tests.e2e.terminal import Terminal
from tests.e2e.world import WorkerProcess, World, assert_same
from tests.rigs.qdrant_facade import QdrantFacade
from tests.rigs.qdrant_server import QdrantServer, qdrant_program
from tests.rigs.waiting import wait_until

_REREAD: Final = {"TICKETS_INDEX__ON_MISMATCH": "reread"}


def _contents(world: World) -> Contents:
    embedder = load_embedder(world.settings.model)
    index = open_index_for_writing(world.settings.index, dimension=embedder.dimension, model=embedder.stamp)
    try:
        return contents(index)
    finally:
        index.close()


def test_an_index_is_saved_beside_its_worker_lost_and_restored(tansu: str, tmp_path: Path) -> None:
    """After a restore and a replay of later events the index is what it was before the loss."""
    world = World(tansu, tmp_path)
    terminal = Terminal(world)
    records = list(events(600, seed=1, edits=0.5, deletes=0.1))
    world.produce(records[:300])
    with WorkerProcess(world) as worker:
        world.wait_committed([worker])
        saved = terminal.json("backup", str(tmp_path / "backup"))
        assert saved["backup"] == str(tmp_path / "backup")
        terminal.run("backup", str(tmp_path / "backup"), code=2)
        world.produce(records[300:])
        world.wait_committed([worker])
        terminal.run("restore", str(tmp_path / "backup"), "--yes", code=2)
        assert worker.terminate() == 0, worker.output()
    wanted = _contents(world)
    world.settings.index.path.rename(tmp_path / "lost")
    terminal.run("restore", str(tmp_path / "backup"))
    assert terminal.json("reconcile", code=1)["differences"]
    with WorkerProcess(world, environment=_REREAD) as worker:
        wait_until(lambda: worker.metric("tickets_acked_total") > 0, worker.output)
        world.wait_committed([worker])
        assert worker.terminate() == 0, worker.output()
    assert terminal.json("reconcile")["differences"] == []
    assert_same(_contents(world), wanted)


@pytest.mark.parametrize("kind", ["facade", "qdrant"])
def test_a_collection_is_restored_from_a_snapshot(kind: str, tansu: str, tmp_path: Path) -> None:
    """The server saves the collection of an alias; after it is restored, the difference is read again."""
    world = World(tansu, tmp_path)
    records = list(events(400, seed=4, edits=0.5, deletes=0.1))
    world.produce(records[:200])
    folder = tmp_path / "qdrant"
    with QdrantFacade(folder) if kind == "facade" else QdrantServer(qdrant_program(), folder) as qdrant:
        server = {"TICKETS_INDEX__URL": qdrant.url, "TICKETS_INDEX__COLLECTION": "live"}
        terminal = Terminal(world, **server)
        terminal.run("backup", code=2)
        terminal.json("rebuild")
        saved = terminal.json("backup")
        terminal.run("backup", str(tmp_path / "folder"), code=2)
        terminal.run("restore", str(tmp_path), "--yes", code=2)
        terminal.run("compact", code=2)
        world.produce(records[200:])
        with WorkerProcess(world, environment=server) as worker:
            world.wait_committed([worker])
            worker.terminate()
        qdrant.restore_snapshot(saved["collection"], saved["backup"])
        assert terminal.json("reconcile", code=1)["differences"]
        with WorkerProcess(world, environment=server | _REREAD) as worker:
            wait_until(lambda: worker.metric("tickets_acked_total") > 0, worker.output)
            world.wait_committed([worker])
            worker.terminate()
        assert terminal.json("reconcile")["differences"] == []


def test_a_compacted_index_matches_the_log(tansu: str, tmp_path: Path) -> None:
    """After a compaction the contents are the same, reconcile finds no difference, and the worker goes on."""
    world = World(tansu, tmp_path)
    terminal = Terminal(world)
    records = list(events(300, seed=2, edits=0.5, deletes=0.2))
    world.produce(records)
    with WorkerProcess(world) as worker:
        world.wait_committed([worker])
        terminal.run("compact", code=2)
        assert worker.terminate() == 0, worker.output()
    before = _contents(world)
    done = terminal.json("compact")
    assert done["deletes"] > 0
    assert_same(_contents(world), before)
    assert terminal.json("reconcile")["differences"] == []
    world.produce(records)  # every event again, many of them older than their ticket
    with WorkerProcess(world) as worker:
        world.wait_committed([worker])
        assert worker.terminate() == 0, worker.output()
    assert_same(_contents(world), before)


def test_a_delete_is_not_forgotten_while_dead_letters_are_kept(tansu: str, tmp_path: Path) -> None:
    """An age below the dead letters' retention is refused with a line that has the least number of days."""
    world = World(tansu, tmp_path)
    world.produce(events(20, seed=3))
    with WorkerProcess(world) as worker:
        world.wait_committed([worker])
        worker.terminate()
    terminal = Terminal(world)
    terminal.run("compact", "--forget-deletes-after", "5", code=2)
    terminal.json("compact", "--forget-deletes-after", "3660")
