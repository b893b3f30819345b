"""The embedded engine's folder: damaged, closed, made for something else."""

import os
import shutil
from pathlib import Path

import pytest

from connectors.qdrant.digest import digest
from connectors.qdrant.embedded import EdgeEngine
from connectors.qdrant.engine import Upsert
from connectors.qdrant.policy import VersionedIndex
from core.errors import ConfigError, FatalError
from delivery.bisection import write_all
from tests.contracts.index_laws import DIMENSION, held, ticket


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An index of a few tickets, closed."""
    index = VersionedIndex(EdgeEngine(tmp_path, dimension=DIMENSION))
    index.write([ticket(str(n), 1, 2) for n in range(20)])
    index.close()
    return tmp_path


@pytest.mark.parametrize("name", ["segment.json", "status.dat", "edge_config.json"])
def test_a_damaged_folder_ends_in_a_line_and_not_in_a_panic(folder: Path, name: str) -> None:
    """Half a file is missing: the start is refused with what to do."""
    for file in (folder / "shard").rglob(name):
        os.truncate(file, file.stat().st_size // 2)
    with pytest.raises(ConfigError, match=r"TICKETS_INDEX__PATH: .* can't be opened .* name a new folder"):
        EdgeEngine(folder, dimension=DIMENSION)


def test_a_shard_whose_dimension_is_not_written_down_is_refused(folder: Path) -> None:
    """It is not taken for one of the model's dimension."""
    (folder / "index.json").unlink()
    with pytest.raises(ConfigError, match=r"TICKETS_INDEX__PATH: .*index.json is missing; name a new folder"):
        EdgeEngine(folder, dimension=DIMENSION + 1)
    assert not (folder / "index.json").exists()


def test_what_the_engine_refuses_is_fatal_and_in_our_words(tmp_path: Path) -> None:
    """The engine's own exceptions don't get out."""
    engine = EdgeEngine(tmp_path, dimension=DIMENSION + 1)
    with pytest.raises(FatalError, match=r"the embedded index: .*dim"):
        engine.write([Upsert(ticket("1", 1, 1).points, below=2)])
    engine.close()


def test_a_point_that_cannot_be_held_costs_its_ticket_alone(folder: Path) -> None:
    """Found among the others, which are written; the reason quotes nothing of it."""
    index = VersionedIndex(EdgeEngine(folder, dimension=DIMENSION))
    tickets = [ticket(str(n), 2, 1, subject="\ud800 secret" if n == 7 else "fine") for n in range(20)]
    (refusal,) = write_all(tickets, index.write)
    assert refusal.at == 7
    assert str(refusal.error) == "the embedded index can't hold it (UnicodeEncodeError)"
    assert {key for key, (version, _) in held(index).items() if version == 2} == {
        ("acme", str(n)) for n in range(20) if n != 7
    }
    index.close()


def test_a_closed_engine_says_so(folder: Path) -> None:
    """Closing twice is fine; what comes after is refused as ours, not as the engine's."""
    engine = EdgeEngine(folder, dimension=DIMENSION)
    engine.close()
    engine.close()
    with pytest.raises(FatalError, match="closed"):
        engine.write([Upsert(ticket("1", 2, 1).points, below=3)])
    with pytest.raises(FatalError, match="embedded index"):
        engine.count([])


def test_a_start_that_was_cut_short_is_begun_anew(tmp_path: Path) -> None:
    """A crash while the shard is made leaves a draft, which the next start replaces."""
    draft = tmp_path / "shard.draft"
    draft.mkdir()
    (draft / "edge_config.json").write_text("{")
    index = VersionedIndex(EdgeEngine(tmp_path, dimension=DIMENSION))
    index.write([ticket("1", 1, 1)])
    assert held(index) == {("acme", "1"): (1, False)}
    assert not draft.exists()
    index.close()


def test_a_power_cut_after_a_write_loses_nothing(tmp_path: Path) -> None:
    """What the log holds is enough: segments as old as the last flush, and the log as it was when `write` returned."""
    live, cut = tmp_path / "live", tmp_path / "cut"
    live.mkdir()
    index = VersionedIndex(EdgeEngine(live, dimension=DIMENSION))
    shutil.copytree(live, cut)
    index.write([ticket(str(n), 1, 2) for n in range(20)])
    index.write([ticket("3", 2, 1), ticket("4", 2, 0)])
    shutil.rmtree(cut / "shard" / "wal")
    shutil.copytree(live / "shard" / "wal", cut / "shard" / "wal")
    before = held(index)
    index.close()
    again = VersionedIndex(EdgeEngine(cut, dimension=DIMENSION))
    assert held(again) == before
    assert digest(again) == digest_of(live)
    again.close()


def digest_of(folder: Path) -> str:
    """What the index in `folder` says."""
    index = VersionedIndex(EdgeEngine(folder, dimension=DIMENSION))
    try:
        return digest(index)
    finally:
        index.close()


def test_the_log_is_on_the_disk_before_a_write_returns(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file of it, and the folder that names them: the ack comes next."""
    engine = EdgeEngine(folder, dimension=DIMENSION)
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


def test_a_disk_that_refuses_is_fatal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch is not acked, and the line is ours."""
    engine = EdgeEngine(folder, dimension=DIMENSION)

    def fsync(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(FatalError, match="the embedded index: No space left on device"):
        engine.write([Upsert(ticket("1", 2, 1).points, below=2)])
    monkeypatch.undo()
    engine.close()


def test_segments_are_flushed_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the log does not grow for ever, nor a start take long."""
    monkeypatch.setattr("connectors.qdrant.embedded._FLUSH_POINTS", 10)
    index = VersionedIndex(EdgeEngine(tmp_path, dimension=DIMENSION))
    acknowledged = tmp_path / "shard" / "wal" / "first-index"
    before = acknowledged.read_bytes()
    index.write([ticket(str(n), 1, 1) for n in range(5)])
    assert acknowledged.read_bytes() == before
    index.write([ticket(str(n), 1, 1) for n in range(5, 12)])
    assert acknowledged.read_bytes() != before
    index.close()
