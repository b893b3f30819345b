"""The archiver keeps each offset once, through kills, outages, zombies and copies that are restored."""

from collections.abc import Callable
from typing import BinaryIO

import pytest

from archive.files import Entry, Sealed
from archive.layout import data_file
from archive.manifest import Manifest
from archive.partition import PartitionArchive
from core.errors import FatalError, TransientError
from core.records import Origin, Record
from stream.archiver import Archiver, _Open
from tests.archive.fakes import MemoryArchive
from tests.stream.archive_world import TOPIC, BrokenError, World, broken_by

_STEPS = 300


@pytest.mark.parametrize("seed", range(6))
def test_each_offset_is_archived_once(seed: int) -> None:
    """Two archivers of the same partitions, killed before and after any write: nothing is lost or doubled."""
    world = World(seed)
    world.run(_STEPS)
    assert world.done["kills"]
    assert world.done["outages"]
    assert sum(map(len, world.log.values())) > 100


class _OverwritingArchive(MemoryArchive):
    def create(self, name: str, source: BinaryIO) -> bool:
        source.seek(0)
        return self._write(name, source.read(), absent=False)


class _BlindArchive(MemoryArchive):
    def replace(self, name: str, data: bytes, version: str) -> bool:
        del version
        return self._write(name, data, absent=False)


class _CommitFirst(Archiver):
    def _store(self, number: int) -> None:
        self._consumer.commit({number: self._open[number].next})
        super()._store(number)


class _BeginAtTheCommit(Archiver):
    def _begin(self) -> None:
        if self._pending is not None:
            world = self._consumer.world  # type: ignore[attr-defined]  # of the fake
            self._open = {
                number: _Open(self._open_partition(number), world.committed.get(number, 0)) for number in self._pending
            }
            self._pending = None
            self._consumer.begin({number: one.position for number, one in self._open.items()})


def _list_before_storing(self: PartitionArchive, sealed: Sealed) -> Entry:
    self._manifest.append(sealed.entry)
    self._store.create(data_file(self._folder, sealed.entry.first), sealed.file)
    return sealed.entry


def _list_the_own_file(self: PartitionArchive, sealed: Sealed) -> Entry:
    self._store.create(data_file(self._folder, sealed.entry.first), sealed.file)
    self._manifest.append(sealed.entry)
    return sealed.entry


_MUTANTS: dict[str, Callable[[int], World]] = {
    "commit_before_it_is_durable": lambda seed: World(seed, archiver=_CommitFirst),
    "begin_at_the_groups_offset": lambda seed: World(seed, archiver=_BeginAtTheCommit),
    "overwrite_files": lambda seed: World(seed, store=_OverwritingArchive()),
    "overwrite_manifests": lambda seed: World(seed, store=_BlindArchive()),
}
_WRITES = {"list_before_storing": _list_before_storing, "list_the_own_file": _list_the_own_file}


@pytest.mark.parametrize("mutant", _MUTANTS)
def test_a_broken_archiver_is_found(mutant: str) -> None:
    """An archiver or a storage without one of the rules loses or doubles records, or commits too early."""
    assert broken_by(_MUTANTS[mutant], seeds=range(20), steps=_STEPS) is not None


@pytest.mark.parametrize("mutant", _WRITES)
def test_a_broken_write_is_found(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A manifest that is written first, or lists another archiver's file as one's own, doesn't fit the files."""
    monkeypatch.setattr(PartitionArchive, "write", _WRITES[mutant])
    assert broken_by(World, seeds=range(20), steps=_STEPS) is not None


def test_small_files_wait_for_their_age() -> None:
    """A file is stored when its first event is as old as the setting says, and not before."""
    world = World(1)
    world.produce()
    world.turn(50, seconds=1)
    assert not list(world.store.names(f"{TOPIC}/cluster.topic-id/0"))
    assert 40 < world.archivers[0].age_s < 50
    world.turn(5, seconds=100)
    assert world.archivers[0].age_s == 0
    world.judge()


def test_a_stop_stores_what_was_read() -> None:
    """SIGTERM leaves no event to the next archiver that this one has read."""
    world = World(1)
    world.produce()
    world.turn(20, seconds=1)
    world.archivers[0].stop()
    world.turn(5, seconds=0)
    assert world.archivers[0].drained
    world.judge()


def test_a_log_that_was_cut_is_refused() -> None:
    """Offsets that come again may be other records; the archiver stops instead of mixing them."""
    world = World(1)
    world.log[0] = [Record(Origin(TOPIC, 0, 5), b"k", b"v", 0)]
    world.turn(20, seconds=1)
    world.log[0] = [Record(Origin(TOPIC, 0, 3), b"k", b"other", 0)]
    world.consumers[0].positions[0] = 0
    with pytest.raises(FatalError, match=r"raw\[0\] has offset 3 after offset 5: its log was cut or restored"):
        world.turn(20, seconds=1)


def test_a_topic_that_was_created_again_is_not_mixed_in() -> None:
    """Nothing is stored after the topic's id has changed, not even what was read before that was noticed."""
    world = World(1)
    world.produce()

    def refuse() -> None:
        raise FatalError("created again")

    world.archivers[0]._confirm = refuse
    with pytest.raises(FatalError, match="created again"):
        world.turn(20)
    assert not list(world.store.names(f"{TOPIC}/cluster.topic-id/0"))


def test_a_commit_beyond_the_archive_is_noticed() -> None:
    """The world itself refuses a commit of what isn't archived."""
    with pytest.raises(BrokenError):
        World(1).commit(0, 1)


def test_an_older_copy_is_filled_up() -> None:
    """An archive that was restored, or is another one, gets what it lacks, whatever the group has committed."""
    world = World(1)
    world.produce()
    world.turn(20)
    assert world.committed
    world.store.objects = {}
    world.consumers[0].rebalance()
    world.turn(20)
    assert Manifest(world.store, f"{TOPIC}/cluster.topic-id/00000").position() == world.end(0)


def test_an_outage_pauses_reading() -> None:
    """While nothing can be stored nothing more is read, and /ready says why; then it goes on."""
    world = World(1)
    world.produce()
    world.turn(10, seconds=1)
    working = world.store.fault

    def fail() -> None:
        raise TransientError("503 of the storage")

    world.store.fault = fail
    world.turn(3)
    assert world.archivers[0].outage == "503 of the storage"
    assert world.consumers[0].paused
    world.store.fault = working
    world.turn(5)
    assert world.archivers[0].outage is None
    assert not world.consumers[0].paused
    world.turn(5)
    world.judge()
