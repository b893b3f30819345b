"""The embedded engine: damaged and foreign folders, refused points, and writes that survive a power failure."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
import qdrant_edge as edge

from connectors.qdrant import embedded
from connectors.qdrant.embedded import EdgeReader, open_edge_engine
from connectors.qdrant.engine import Stored, Upsert
from connectors.qdrant.layout import STATE_FIELDS
from connectors.qdrant.policy import VersionedIndex
from core.errors import ConfigError, FatalError, TransientError
from delivery.bisection import write_with_bisection
from tests.contracts.digest import digest
from tests.contracts.index_laws import DIMENSION, held, ticket


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a closed index with a few tickets."""
    index = VersionedIndex(open_edge_engine(tmp_path, dimension=DIMENSION))
    index.write([ticket(str(n), 1, 2) for n in range(20)])
    index.close()
    return tmp_path


@pytest.mark.parametrize("name", ["segment.json", "status.dat", "edge_config.json"])
def test_a_damaged_folder_ends_in_a_line_and_not_in_a_panic(folder: Path, name: str) -> None:
    """A truncated file makes the start fail with one line that says what to do."""
    for file in (folder / "shard").rglob(name):
        os.truncate(file, file.stat().st_size // 2)
    with pytest.raises(ConfigError, match=r"TICKETS_INDEX__PATH: .* can't be opened .* set it to a new folder"):
        open_edge_engine(folder, dimension=DIMENSION)


def test_a_shard_without_a_recorded_dimension_is_refused(folder: Path) -> None:
    """The missing dimension is not assumed to be the model's."""
    (folder / "index.json").unlink()
    with pytest.raises(ConfigError, match=r"TICKETS_INDEX__PATH: .*index.json is missing.* set it to a new folder"):
        open_edge_engine(folder, dimension=DIMENSION + 1)
    assert not (folder / "index.json").exists()


def test_a_damaged_or_unreadable_description_is_told_apart(folder: Path) -> None:
    """A flipped bit in index.json is damage; a file that can't be read is not, and no reason to start over."""
    file = folder / "index.json"
    file.write_bytes(file.read_bytes().replace(b'"shard"}', b'"sh\xe1rd"}').replace(b'"shard",', b'"sh\xe1rd",'))
    with pytest.raises(ConfigError, match=r"index\.json is damaged; set it to a new folder"):
        open_edge_engine(folder, dimension=DIMENSION)
    file.unlink()
    file.mkdir()
    with pytest.raises(ConfigError, match=r"can't read .*index\.json \(is a directory\); run as the worker's user"):
        open_edge_engine(folder, dimension=DIMENSION)


def test_an_error_of_the_engine_is_translated(tmp_path: Path) -> None:
    """An exception of the engine is raised as FatalError."""
    engine = open_edge_engine(tmp_path, dimension=DIMENSION + 1)
    with pytest.raises(FatalError, match=r"the embedded index: .*dim"):
        engine.write([Upsert(ticket("1", 1, 1).points, below=2)])
    engine.close()


def test_a_point_that_cannot_be_stored_costs_its_ticket_alone(folder: Path) -> None:
    """The other tickets of the batch are written, and the reason quotes no text of the refused one."""
    index = VersionedIndex(open_edge_engine(folder, dimension=DIMENSION))
    tickets = [ticket(str(n), 2, 1, subject="\ud800 secret" if n == 7 else "fine") for n in range(20)]
    (refusal,) = write_with_bisection(tickets, index.write)
    assert refusal.at == 7
    assert str(refusal.error) == "the embedded index can't store the points (UnicodeEncodeError)"
    assert {key for key, (version, _) in held(index).items() if version == 2} == {
        ("acme", str(n)) for n in range(20) if n != 7
    }
    index.close()


def test_a_closed_engine_says_so(folder: Path) -> None:
    """A second close does nothing, and later calls raise FatalError."""
    engine = open_edge_engine(folder, dimension=DIMENSION)
    engine.close()
    engine.close()
    with pytest.raises(FatalError, match="closed"):
        engine.write([Upsert(ticket("1", 2, 1).points, below=3)])
    with pytest.raises(FatalError, match="embedded index"):
        engine.count([])


def test_a_write_beside_a_long_copy_is_retried(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of a large index takes minutes, and a write that waited for it in silence would look like a hang."""
    monkeypatch.setattr(embedded, "_WAIT_S", 0.01)
    engine = open_edge_engine(folder, dimension=DIMENSION)
    write = [Upsert(ticket("1", 2, 1).points, below=3)]
    with engine.exclusive():
        with pytest.raises(TransientError, match="its files are being copied, for a backup or to"):
            engine.write(write)
        engine.close()  # a worker that ends doesn't wait either
    engine.write(write)
    engine.close()


def test_a_head_is_read_once_between_writes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Searches ask for the same heads again and again; `_MAX_HEADS` bounds how many are remembered."""
    monkeypatch.setattr(embedded, "_MAX_HEADS", 2)
    asked: list[str] = []
    read = EdgeReader.lookup

    def lookup(self: EdgeReader, ids: Sequence[str], fields: Sequence[str]) -> dict[str, Stored]:
        asked.extend(ids)
        return read(self, ids, fields)

    monkeypatch.setattr(EdgeReader, "lookup", lookup)
    engine = open_edge_engine(folder, dimension=DIMENSION)
    heads = [ticket(str(n), 1, 1).points[0].id for n in range(3)]
    for some in (heads[:1], heads[:2], heads, heads):
        assert engine.lookup(some, STATE_FIELDS).keys() == {*some}
    assert asked == [*heads, heads[2]]
    engine.write([Upsert(ticket("1", 2, 1).points, below=3)])
    assert [engine.lookup(heads, STATE_FIELDS)[head]["version"] for head in heads] == [1, 2, 1]
    engine.close()


def test_a_head_that_a_write_overtakes_is_not_remembered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that was read before or during a write isn't taken for the current one afterwards."""
    index = VersionedIndex(engine := open_edge_engine(folder, dimension=DIMENSION))
    head = ticket("1", 1, 1).points[0].id
    read = EdgeReader.lookup

    def lookup(self: EdgeReader, ids: Sequence[str], fields: Sequence[str]) -> dict[str, Stored]:
        found = read(self, ids, fields)
        monkeypatch.undo()
        index.write([ticket("1", 2, 1)])
        return found

    monkeypatch.setattr(EdgeReader, "lookup", lookup)
    assert engine.lookup([head], STATE_FIELDS)[head]["version"] == 1
    assert engine.lookup([head], STATE_FIELDS)[head]["version"] == 2
    with engine.exclusive() as shard:
        assert engine.lookup([head], STATE_FIELDS)[head]["version"] == 2
        shard.update(edge.UpdateOperation.delete_points([head]))
    assert engine.lookup([head], STATE_FIELDS) == {}
    engine.close()


def test_an_interrupted_start_is_repeated(tmp_path: Path) -> None:
    """A crash during the creation of the shard leaves a draft, which the next start replaces."""
    draft = tmp_path / "shard.draft"
    draft.mkdir()
    (draft / "edge_config.json").write_text("{")
    index = VersionedIndex(open_edge_engine(tmp_path, dimension=DIMENSION))
    index.write([ticket("1", 1, 1)])
    assert held(index) == {("acme", "1"): (1, False)}
    assert not draft.exists()
    index.close()


def test_a_power_cut_after_a_write_loses_nothing(tmp_path: Path) -> None:
    """Segments as of the last flush, and the log as of the return of `write`, contain every acked write."""
    live, cut = tmp_path / "live", tmp_path / "cut"
    live.mkdir()
    index = VersionedIndex(open_edge_engine(live, dimension=DIMENSION))
    shutil.copytree(live, cut)
    index.write([ticket(str(n), 1, 2) for n in range(20)])
    index.write([ticket("3", 2, 1), ticket("4", 2, 0)])
    shutil.rmtree(cut / "shard" / "wal")
    shutil.copytree(live / "shard" / "wal", cut / "shard" / "wal")
    before = held(index)
    index.close()
    again = VersionedIndex(open_edge_engine(cut, dimension=DIMENSION))
    assert held(again) == before
    assert digest(again) == digest_of(live)
    again.close()


def digest_of(folder: Path) -> str:
    """The digest of the index in `folder`."""
    index = VersionedIndex(open_edge_engine(folder, dimension=DIMENSION))
    try:
        return digest(index)
    finally:
        index.close()


def test_the_log_is_on_the_disk_before_a_write_returns(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file of the log, and its folder, are synced before `write` returns."""
    engine = open_edge_engine(folder, dimension=DIMENSION)
    synced: set[str] = set()
    real = os.fsync

    def fsync(handle: int) -> None:
        synced.add(str(Path(f"/proc/self/fd/{handle}").readlink()))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    engine.write([Upsert(ticket("1", 2, 1).points, below=2)])
    log = folder.resolve() / "shard" / "wal"
    assert {str(log), *(str(file) for file in log.iterdir())} <= synced
    engine.close()


def test_a_disk_error_is_fatal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The write raises, so its batch is not acked."""
    engine = open_edge_engine(folder, dimension=DIMENSION)

    def fsync(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(FatalError, match="the embedded index: No space left on device"):
        engine.write([Upsert(ticket("1", 2, 1).points, below=2)])
    monkeypatch.undo()
    engine.close()


def test_segments_are_flushed_regularly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flush after every `_FLUSH_POINTS` points bounds the log's size and the time of a start."""
    monkeypatch.setattr("connectors.qdrant.embedded._FLUSH_POINTS", 10)
    index = VersionedIndex(open_edge_engine(tmp_path, dimension=DIMENSION))
    flushed = tmp_path / "shard" / "wal" / "first-index"
    before = flushed.read_bytes()
    index.write([ticket(str(n), 1, 1) for n in range(5)])
    assert flushed.read_bytes() == before
    index.write([ticket(str(n), 1, 1) for n in range(5, 12)])
    assert flushed.read_bytes() != before
    index.close()
