"""The embedded index is only written while the disk has room for it."""

import math
from pathlib import Path

import pytest

from connectors.qdrant.embedded import open_edge_engine
from connectors.qdrant.policy import VersionedIndex
from connectors.qdrant.space import SpaceGuard
from core.errors import TransientError, UnavailableError
from tests.connectors.qdrant.disks import ReportedDisk
from tests.contracts.index_laws import DIMENSION, held, ticket


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> ReportedDisk:
    """The system's report on every disk."""
    return ReportedDisk(monkeypatch)


def _opened(path: Path) -> VersionedIndex:
    return VersionedIndex(open_edge_engine(path, dimension=DIMENSION, min_free_mib=256))


def test_a_write_on_a_full_disk_is_an_outage(tmp_path: Path, disk: ReportedDisk) -> None:
    """The write raises TransientError and changes nothing; it succeeds once there is room again."""
    index = _opened(tmp_path)
    index.write([ticket("1", 1, 1)])
    disk.free_mib = 255
    with pytest.raises(TransientError, match=r"has 255 MiB free, .* only written with 256 MiB \(TICKETS_INDEX__MIN_F"):
        index.write([ticket("1", 2, 1), ticket("2", 1, 1)])
    assert held(index) == {("acme", "1"): (1, False)}
    disk.free_mib = 257
    index.write([ticket("1", 2, 1), ticket("2", 1, 1)])
    assert held(index) == {("acme", "1"): (2, False), ("acme", "2"): (1, False)}
    index.close()


def test_a_disk_without_inodes_is_full(tmp_path: Path, disk: ReportedDisk) -> None:
    """The error says that inodes are missing, and not space."""
    index = _opened(tmp_path)
    disk.inodes = 3
    with pytest.raises(TransientError, match="has 3 inodes free"):
        index.write([ticket("1", 1, 1)])
    index.close()


def test_a_start_on_a_full_disk_ends_in_a_line(tmp_path: Path, disk: ReportedDisk) -> None:
    """The engine is not opened, because replaying its log would write; the error says what to do."""
    disk.free_mib = 10
    with pytest.raises(UnavailableError, match=r"the disk is full: .* delete files or enlarge the volume"):
        _opened(tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_index_closed_on_a_full_disk_has_lost_nothing(
    tmp_path: Path, disk: ReportedDisk, caplog: pytest.LogCaptureFixture
) -> None:
    """The index is closed without a flush, says so, and replays its log when it is opened again."""
    index = _opened(tmp_path)
    index.write([ticket(str(n), 1, 2) for n in range(20)])
    disk.free_mib = 0
    index.close()
    assert "closed without a flush" in caplog.text
    disk.free_mib = 1_000
    again = _opened(tmp_path)
    assert len(held(again)) == 20
    again.close()


def test_room_is_what_is_free_beyond_the_reserve(tmp_path: Path, disk: ReportedDisk) -> None:
    """The metric is negative when the reserve has begun, and unknown when the disk doesn't answer."""
    guard = SpaceGuard(tmp_path, reserve_mib=256)
    disk.free_mib = 300
    assert guard.room() == 44 * 1024 * 1024
    disk.free_mib = 200
    assert guard.room() < 0
    assert math.isnan(SpaceGuard(tmp_path / "missing", reserve_mib=256).room())
