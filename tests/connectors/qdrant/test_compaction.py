"""Compaction drops old versions and expired tombstones, and nothing else."""

import time
from pathlib import Path
from typing import Final

import pytest

from connectors.qdrant import compaction
from connectors.qdrant.compaction import Compacted, compact_folder
from connectors.qdrant.engine import NoIndexError, Upsert
from connectors.qdrant.layout import tombstone
from connectors.qdrant.lock import InUseError
from core.errors import UnavailableError
from core.settings import IndexSettings
from tests.connectors.qdrant.disks import ReportedDisk
from tests.contracts.digest import contents, digest
from tests.contracts.index_laws import held, opened, search, ticket, vector

_DAY: Final = 24 * 3600 * 1000
#: In the year 2096, after the creation of the tests' indexes.
_NOW: Final = 4_000_000_000_000
_KEEP: Final = 40 * _DAY


@pytest.fixture
def settings(tmp_path: Path) -> IndexSettings:
    """An index of 60 tickets of three chunks: some changed, some shorter now, some deleted."""
    settings = IndexSettings(path=tmp_path / "index")
    index = opened(settings)
    index.write([ticket(str(n), 1, 3) for n in range(60)])
    index.write([ticket(str(n), 2, 1) for n in range(20)])
    index.write([ticket(str(n), 2, 0) for n in range(20, 40)])
    index.close()
    return settings


def _compact(settings: IndexSettings, *, now_ms: int = _NOW, forget_after_ms: int | None = None) -> Compacted:
    return compact_folder(settings.path, min_free_mib=1, now_ms=now_ms, forget_after_ms=forget_after_ms)


def _seen(settings: IndexSettings) -> tuple[object, ...]:
    """Everything that a reader of the index can see."""
    index = opened(settings)
    try:
        found = search(index, vector("acme", "50", 1, 0)), search(index, vector("acme", "3", 2, 0), limit=5)
        return digest(index), held(index), found, index.store.read()
    finally:
        index.close()


def _raw(settings: IndexSettings) -> int:
    """Number of points, with the tombstones of chunks and the provenance."""
    index = opened(settings)
    try:
        return index.engine.count([])
    finally:
        index.close()


def test_nothing_changes_that_can_be_seen(settings: IndexSettings) -> None:
    """Tickets, deletes, vectors, payloads, answers and the provenance are the same as before."""
    before = _seen(settings)
    done = _compact(settings)
    assert _seen(settings) == before
    assert done.chunk_tombstones == 20 * 2 + 20 * 2
    assert (done.deletes, done.deletes_forgotten) == (20, 0)
    assert done.points == _raw(settings)


def test_a_second_compaction_finds_nothing_to_drop(settings: IndexSettings) -> None:
    """Compaction is idempotent."""
    _compact(settings)
    before = _seen(settings), _raw(settings)
    assert _compact(settings).chunk_tombstones == 0
    assert (_seen(settings), _raw(settings)) == before


def test_a_late_older_event_loses_against_a_delete_that_is_kept(settings: IndexSettings) -> None:
    """A ticket that was deleted, and one that was shortened, don't come back with an event of an older version."""
    _compact(settings)
    _compact(settings, now_ms=_NOW + 39 * _DAY, forget_after_ms=_KEEP)
    index = opened(settings)
    before = digest(index)
    index.write([ticket(str(n), 1, 3) for n in range(60)])
    assert digest(index) == before
    assert held(index)["acme", "25"] == (2, True)
    index.close()


def test_a_delete_is_forgotten_when_it_was_met_long_enough_ago(settings: IndexSettings) -> None:
    """The age counts from the first compaction that met the tombstone, and not from the second."""
    _compact(settings)
    _compact(settings, now_ms=_NOW + 20 * _DAY)
    done = _compact(settings, now_ms=_NOW + 40 * _DAY, forget_after_ms=_KEEP)
    assert (done.deletes, done.deletes_forgotten) == (0, 20)
    index = opened(settings)
    assert len(held(index)) == 40
    assert not any(deleted for _, deleted in held(index).values())
    index.close()


def test_a_delete_that_is_new_is_kept_for_its_whole_time(settings: IndexSettings) -> None:
    """A first compaction forgets nothing, and a ticket deleted again after it starts its time anew."""
    assert _compact(settings, forget_after_ms=1).deletes_forgotten == 0
    index = opened(settings)
    index.write([ticket("20", 3, 0)])
    index.close()
    done = _compact(settings, now_ms=_NOW + _KEEP, forget_after_ms=_KEEP)
    assert (done.deletes, done.deletes_forgotten) == (1, 19)


def test_a_clock_that_was_set_back_forgets_nothing(settings: IndexSettings) -> None:
    """A tombstone that was met in the future is kept."""
    _compact(settings)
    assert _compact(settings, now_ms=_NOW - 1, forget_after_ms=1).deletes_forgotten == 0


def test_a_clock_that_was_behind_forgets_nothing_early(settings: IndexSettings) -> None:
    """A tombstone that a wrong clock dated 1970 counts as no older than the index."""
    _compact(settings, now_ms=1)
    now_ms = int(time.time() * 1000)
    assert _compact(settings, now_ms=now_ms, forget_after_ms=_DAY).deletes_forgotten == 0
    assert _compact(settings, now_ms=now_ms + 2 * _DAY, forget_after_ms=_DAY).deletes_forgotten == 20


def test_the_mutant_that_forgets_too_early_brings_a_ticket_back(
    settings: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test of late events fails if the age of a tombstone isn't looked at."""
    monkeypatch.setattr(compaction._Sieve, "_keeps_delete", lambda _self, _payload: False)
    with pytest.raises(AssertionError):
        test_a_late_older_event_loses_against_a_delete_that_is_kept(settings)


def test_the_tombstone_of_a_chunk_waits_for_its_head(settings: IndexSettings) -> None:
    """The tombstone of a chunk is kept while its head is missing or older."""
    index = opened(settings)
    index.engine.write([Upsert([tombstone("acme", "nobody", 1, 5), tombstone("acme", "50", 7, 9)], below=10)])
    index.close()
    before = _raw(settings)
    assert _compact(settings).chunk_tombstones == 80
    assert _raw(settings) == before - 80


@pytest.mark.parametrize("at", ["rename", "note"])
def test_a_crash_in_the_switch_leaves_a_complete_index(
    settings: IndexSettings, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """The old index stays, and the next compaction removes what is left over."""
    before = _seen(settings)
    rename = Path.rename

    def break_off(self: Path, target: Path) -> Path:
        if target.parent != settings.path:
            return rename(self, target)
        if at == "note":
            rename(self, target)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", break_off)
    with pytest.raises(KeyboardInterrupt):
        _compact(settings)
    monkeypatch.undo()
    assert _seen(settings) == before
    _compact(settings)
    assert _seen(settings) == before
    assert len(list(settings.path.glob("shard*"))) == 1


def test_a_disk_without_room_leaves_the_index_unchanged(
    settings: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says how much is missing, and nothing is left over."""
    before = _seen(settings)
    disk = ReportedDisk(monkeypatch)
    passing = compaction._Sieve.passing

    def fill_up(*args: object) -> object:
        disk.free_mib = 0
        return passing(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(compaction._Sieve, "passing", fill_up)
    with pytest.raises(UnavailableError, match=r"the disk is full: .*; the index is unchanged"):
        _compact(settings)
    monkeypatch.undo()
    assert not (settings.path / "compact").exists()
    assert _seen(settings) == before


def test_an_index_in_use_or_missing_is_refused(settings: IndexSettings, tmp_path: Path) -> None:
    """The worker must be stopped, and nothing is created where no index is."""
    index = opened(settings)
    with pytest.raises(InUseError, match="in use by process"):
        _compact(settings)
    index.close()
    with pytest.raises(NoIndexError):
        _compact(IndexSettings(path=tmp_path / "nowhere"))
    assert not (tmp_path / "nowhere").exists()


def test_whole_points_are_copied(settings: IndexSettings) -> None:
    """Each point that is kept has its payload and vectors, to the last field."""
    index = opened(settings)
    before = contents(index)
    index.close()
    _compact(settings)
    index = opened(settings)
    assert contents(index) == before
    index.close()
