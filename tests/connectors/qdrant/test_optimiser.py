"""The optimiser: building vector indexes during writes doesn't change the index's contents."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest
import qdrant_edge as edge

from connectors.qdrant import folder, optimiser, shard_config
from connectors.qdrant.changes import ChangedPoints
from connectors.qdrant.open import EmbeddedIndex
from connectors.qdrant.optimise_shard import Optimised, optimise_shard
from connectors.qdrant.optimiser import OptimiseError, Optimiser, open_optimiser, run_in_child
from connectors.qdrant.policy import VersionedIndex
from connectors.qdrant.sizes import SIZES, SizeName
from core.index import SearchQuery
from core.provenance import LogIdentity
from core.settings import IndexSettings
from tests.contracts.digest import contents
from tests.contracts.index_laws import held, nearest, opened, search, ticket, vector
from tests.rigs.waiting import wait_until

_TICKETS = 60


@pytest.fixture(autouse=True)
def _small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """32 vectors are enough for a graph; and no test cuts the power, so the files need not be synced."""
    monkeypatch.setattr(shard_config, "_INDEXED_KB", 1)
    monkeypatch.setattr(shard_config, "_SCAN_KB", 1)
    monkeypatch.setattr("connectors.qdrant.optimise_shard.sync_tree", lambda _shard: None)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[EmbeddedIndex]:
    """An embedded index of 60 tickets with two chunks each."""
    found = opened(IndexSettings(path=tmp_path / "index"))
    assert isinstance(found, EmbeddedIndex)
    found.write([ticket(str(number), 1, 2) for number in range(_TICKETS)])
    yield found
    found.close()


def _optimiser(
    index: EmbeddedIndex, path: Path, *, meanwhile: Callable[[], None] = lambda: None, size: SizeName = "medium"
) -> Optimiser:
    """An optimiser in this process that calls `meanwhile` after it has made the copy."""

    def run(shard: Path, dimension: int, size: SizeName, _stop: threading.Event) -> Optimised:
        meanwhile()
        return optimise_shard(shard, SIZES[size], dimension=dimension)

    return Optimiser(index.edge, path / "index", size=size, after=1, run=run)


def _optimise(index: EmbeddedIndex, path: Path, *, meanwhile: Callable[[], None] = lambda: None) -> bool:
    return _optimiser(index, path, meanwhile=meanwhile).optimise(threading.Event())


def _change(index: VersionedIndex, rng: Random) -> None:
    """Write random versions of random tickets, of 0 to 3 chunks: new, older, repeated, and deletes."""
    for _ in range(5):
        changed = [ticket(str(rng.randrange(_TICKETS * 2)), rng.randrange(1, 9), rng.randrange(2)) for _ in range(8)]
        index.write(changed)


@pytest.mark.parametrize("size", SIZES)
def test_every_size_class_is_searched_alike(index: EmbeddedIndex, tmp_path: Path, size: SizeName) -> None:
    """The vectors have an index, and a search finds what it found before, with the same scores."""
    query = SearchQuery(tenant_id="acme", limit=10)
    before = nearest(index, query, vector("acme", "7", 1, 0))
    assert _optimiser(index, tmp_path, size=size).optimise(threading.Event())
    segments = [file.read_text() for file in folder.shard_of(tmp_path / "index").rglob("segment.json")]
    assert any("hnsw" in segment for segment in segments)
    after = nearest(index, query, vector("acme", "7", 1, 0))
    assert [hit.ticket_id for hit in after] == [hit.ticket_id for hit in before]
    assert [hit.similarity for hit in after] == pytest.approx([hit.similarity for hit in before], abs=1e-5)


@pytest.mark.parametrize("seed", range(2))
def test_writes_meanwhile_are_kept(index: EmbeddedIndex, tmp_path: Path, seed: int) -> None:
    """Writes before, during and after two builds leave the same points as in an index that is never optimised."""
    twin = opened(IndexSettings(path=tmp_path / "twin"))
    twin.write([ticket(str(number), 1, 2) for number in range(_TICKETS)])
    one, other, built = Random(seed), Random(seed), list[bool]()
    for _ in range(2):
        _change(index, one)
        built.append(_optimise(index, tmp_path, meanwhile=lambda: _change(index, one)))
        _change(twin, other)
        _change(twin, other)
    _change(index, one)
    _change(twin, other)
    assert built[0]
    assert contents(index) == contents(twin)
    index.close()
    again = opened(IndexSettings(path=tmp_path / "index"))
    assert contents(again) == contents(twin)
    again.close()
    twin.close()


def test_the_provenance_goes_along(index: EmbeddedIndex, tmp_path: Path) -> None:
    """Positions that are noted before, during and after a build are kept, and the new folder is the index's own."""
    log = LogIdentity("tickets.raw")
    index.store.note_log(log)
    index.store.advance(log, {0: (0, 1)})
    assert _optimise(index, tmp_path, meanwhile=lambda: index.store.advance(log, {0: (1, 2), 1: (0, 5)}))
    index.store.advance(log, {0: (2, 3)})
    found = index.store.read()
    assert found is not None
    assert found.of(log).positions == {0: 3, 1: 5}


def test_forgotten_writes_would_be_noticed(
    index: EmbeddedIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mutant that doesn't record the points written meanwhile loses them."""
    monkeypatch.setattr(ChangedPoints, "add", lambda _self, _ids: None)
    _optimise(index, tmp_path, meanwhile=lambda: index.write([ticket("late", 1, 1)]))
    assert ("acme", "late") not in held(index)


def test_a_point_that_is_gone_is_not_brought_back(index: EmbeddedIndex, tmp_path: Path) -> None:
    """A point that was erased meanwhile is missing in the new shard too."""
    gone = ticket("7", 1, 2).points[1].id

    def erase() -> None:
        with index.edge.exclusive() as shard:
            index.edge.changed.add([gone])
            shard.update(edge.UpdateOperation.delete_points([gone]))

    assert _optimise(index, tmp_path, meanwhile=erase)
    assert gone not in contents(index)


def test_searches_go_on_meanwhile(index: EmbeddedIndex, tmp_path: Path) -> None:
    """Searches in another thread find their ticket before, during and after the switch."""
    stop, missed, asked = threading.Event(), list[str](), 0

    def ask() -> None:
        nonlocal asked
        while not stop.is_set():
            name = str(asked % _TICKETS)
            if ("acme", name, 1) not in search(index, vector("acme", name, 1, 0), limit=3):
                missed.append(name)
            asked += 1

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        for number in range(3):
            index.write([ticket(f"more-{number}-{n}", 1, 1) for n in range(40)])
            assert _optimise(index, tmp_path)
        before = asked
        wait_until(lambda: asked > before)
    finally:
        stop.set()
        thread.join()
    assert missed == []


def test_few_new_vectors_change_nothing(index: EmbeddedIndex, tmp_path: Path) -> None:
    """A build that finds too few vectors without an index leaves the shard, and isn't due until more are written."""
    one = _optimiser(index, tmp_path)
    assert one.due
    assert one.optimise(threading.Event())
    assert not one.due
    shard = folder.shard_of(tmp_path / "index")
    index.write([ticket(f"late-{number}", 1, 0) for number in range(20)])  # tombstones
    assert one.due
    assert not one.optimise(threading.Event())
    assert folder.shard_of(tmp_path / "index") == shard
    assert not one.due
    assert not _optimiser(index, tmp_path).due, "a later worker knows it too"


def test_a_build_that_is_stopped_copies_nothing(index: EmbeddedIndex, tmp_path: Path) -> None:
    """The end of a worker doesn't wait for the copy of a large shard, and no part of one stays."""
    stop, shard = threading.Event(), folder.shard_of(tmp_path / "index")
    stop.set()
    found = Optimiser(index.edge, tmp_path / "index", size="small", after=1, run=lambda *_: pytest.fail("it was built"))
    assert not found.optimise(stop)
    assert list((tmp_path / "index").glob("shard*")) == [shard]
    index.write([ticket("later", 1, 1)])
    assert ("acme", "later") in held(index)


def test_a_child_process_does_it(index: EmbeddedIndex, tmp_path: Path) -> None:
    """The process prints what it did, and its shard takes the old one's place; no other shard is left."""
    before = contents(index)
    # Its threshold is the real one, so it finds too few vectors, and the old shard stays.
    found = Optimiser(index.edge, tmp_path / "index", size="small", after=1, run=run_in_child)
    assert not found.optimise(threading.Event())
    assert contents(index) == before
    assert [shard.name for shard in (tmp_path / "index").glob("shard*")] == ["shard"]


def test_a_stopped_build_leaves_the_old_shard(index: EmbeddedIndex, tmp_path: Path) -> None:
    """A worker that stops kills the child, removes the copy, and keeps its shard."""
    stop = threading.Event()
    stop.set()
    found = Optimiser(index.edge, tmp_path / "index", size="small", after=1, run=run_in_child)
    assert not found.optimise(stop)
    assert [shard.name for shard in (tmp_path / "index").glob("shard*")] == ["shard"]


def test_a_failed_build_is_explained(index: EmbeddedIndex, tmp_path: Path) -> None:
    """The error is the last line that the child wrote, and the index works on."""

    def damage(shard: Path, dimension: int, size: SizeName, stop: threading.Event) -> Optimised | None:
        next(shard.rglob("segment.json")).write_text("{")
        return run_in_child(shard, dimension, size, stop)

    found = Optimiser(index.edge, tmp_path / "index", size="small", after=1, run=damage)
    with pytest.raises(OptimiseError, match="segment"):
        found.optimise(threading.Event())
    index.write([ticket("late", 1, 1)])
    assert ("acme", "late") in held(index)
    assert [shard.name for shard in (tmp_path / "index").glob("shard*")] == ["shard"]


def test_a_full_disk_is_noticed_before(index: EmbeddedIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No copy is begun for which there is no room."""
    monkeypatch.setattr(optimiser, "_ROOM", 1e9)
    with pytest.raises(OptimiseError, match=r"it needs [\d,]+ MiB of free disk"):
        _optimise(index, tmp_path)


def test_the_background_thread_indexes_when_it_is_due(
    index: EmbeddedIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread removes a crash's remains, indexes once enough points are written, and ends with the worker."""
    left = [tmp_path / "index" / name for name in ("shard-1", "restore", "compact", "rebuild")]
    for folder_left in left:
        folder_left.mkdir()
    monkeypatch.setattr(optimiser, "_LOOK_S", 0.01)
    looked = threading.Event()

    def run(shard: Path, dimension: int, size: SizeName, _stop: threading.Event) -> Optimised:
        looked.set()
        return optimise_shard(shard, SIZES[size], dimension=dimension)

    monkeypatch.setattr(optimiser, "run_in_child", run)
    with ExitStack() as stack:
        open_optimiser(index.edge, IndexSettings(path=tmp_path / "index", index_after_points=_TICKETS * 3), stack)
        assert not any(one.exists() for one in left)
        index.write([ticket(f"more-{number}", 1, 1) for number in range(_TICKETS)])
        wait_until(lambda: folder.shard_of(tmp_path / "index").name != "shard")
    assert looked.is_set()
    assert "optimiser" not in {thread.name for thread in threading.enumerate()}


_WRITE = (
    "import os, sys, threading; from pathlib import Path; from core.settings import IndexSettings\n"
    "from connectors.qdrant import shard_config; from connectors.qdrant.optimiser import Optimiser\n"
    "from connectors.qdrant.optimise_shard import optimise_shard; from connectors.qdrant.sizes import SIZES\n"
    "from tests.contracts.index_laws import opened, ticket\n"
    "from connectors.qdrant import optimise_shard as module; module.sync_tree = lambda shard: None\n"
    "shard_config._INDEXED_KB = shard_config._SCAN_KB = 1\n"
    "path, start = Path(sys.argv[1]), int(sys.argv[2]); index = opened(IndexSettings(path=path))\n"
    "def run(shard, dimension, size, stop): return optimise_shard(shard, SIZES[size], dimension=dimension)\n"
    "one = Optimiser(index.edge, path, size='small', after=1, run=run)\n"
    "def build():\n"
    "    while True: one.optimise(threading.Event()); os.write(1, b'built\\n')\n"
    "threading.Thread(target=build, daemon=True).start()\n"
    "for n in range(start, start + 100_000):\n"
    "    index.write([ticket(str(n), 1, 1 + n % 3)]); os.write(1, b'%d\\n' % n)\n"
)


def test_acked_writes_survive_kills_during_builds(tmp_path: Path) -> None:
    """Every acked write is in the index after writers that build all the time were killed with `kill -9`."""
    path, acked, built = tmp_path / "index", set[str](), 0
    for turn, wait_for in enumerate((40, 90)):
        command = [sys.executable, "-c", _WRITE, str(path), str(turn * 100_000)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if line == "built\n":
                    built += 1
                else:
                    acked.add(line.strip())
                if len(acked) >= wait_for * 4 and built > turn:
                    os.kill(process.pid, signal.SIGKILL)
                    break
    index = opened(IndexSettings(path=path))
    assert acked <= {ticket_id for _, ticket_id in held(index)}
    index.close()
