"""`verify` says in one line what is wrong with an archive, and nothing about a whole one."""

from collections.abc import Callable

import pytest

from archive.generation import Generation, begin_generation, find_generations
from archive.layout import data_file, generation_of, manifest_file
from archive.partition import PartitionArchive
from archive.verification import verify
from core.errors import FatalError
from core.provenance import LogIdentity
from core.records import Origin, Record
from tests.archive.fakes import MemoryArchive

_LOG = LogIdentity("raw", "cluster", "topic-id")
_FOLDER = f"{generation_of(_LOG)}/00000"


def _archive(files: int = 3) -> MemoryArchive:
    """Files of two records each."""
    store = MemoryArchive()
    begin_generation(store, _LOG)
    archive = PartitionArchive(store, _LOG, 0)
    for first in range(0, 2 * files, 2):
        draft = archive.draft(first)
        for offset in (first, first + 1):
            draft.add(Record(Origin("raw", 0, offset), b"k", b"v", offset), log_start=0)
        archive.write(draft.seal())
    return store


def _faults(store: MemoryArchive, *, expired: bool = False) -> list[str]:
    (generation,) = find_generations(store, "raw")
    assert generation.partitions() == [0]
    return list(verify(generation, 0, expired_is_fine=expired))


def test_a_whole_archive_has_no_fault() -> None:
    """Every record is there once."""
    store = _archive()
    assert _faults(store) == []
    generation = Generation(store, generation_of(_LOG))
    held = generation.held(0)
    found = [record.origin.offset for record in generation.records(0, held.entries, start=3)]
    assert (found, held.begins, held.next, held.records, held.missing) == ([3, 4, 5], 0, 6, 6, 0)


def test_a_file_that_is_not_listed_yet_is_no_fault() -> None:
    """An archiver was killed, or is about to list it."""
    store = _archive()
    kept = dict(store.objects)
    archive = PartitionArchive(store, _LOG, 0)
    draft = archive.draft(6)
    draft.add(Record(Origin("raw", 0, 6), b"k", b"v", 6), log_start=0)
    archive.write(draft.seal())
    store.objects |= {name: data for name, data in kept.items() if "/manifest/" in name}
    assert _faults(store) == []
    assert PartitionArchive(store, _LOG, 0).recover() == 7
    assert Generation(store, generation_of(_LOG)).held(0).next == 7


def _remove(name: str) -> Callable[[dict[str, bytes]], object]:
    return lambda objects: objects.pop(name)


def _change(name: str) -> Callable[[dict[str, bytes]], object]:
    return lambda objects: objects.update({name: objects[name][:-9]})


def _add(name: str) -> Callable[[dict[str, bytes]], object]:
    return lambda objects: objects.update({name: b"hello"})


def _drop_the_second_line(objects: dict[str, bytes]) -> None:
    name = manifest_file(_FOLDER, 0)
    lines = objects[name].splitlines(keepends=True)
    objects[name] = lines[0] + lines[2]


_FAULTS: dict[str, tuple[Callable[[dict[str, bytes]], object], list[str]]] = {
    "a missing file": (_remove(data_file(_FOLDER, 2)), ["is missing; restore it"]),
    "a file that is cut off": (_change(data_file(_FOLDER, 2)), ["is damaged: its"]),
    "a missing beginning": (_remove(data_file(_FOLDER, 0)), ["its first 1 file(s) are gone, with offsets 0 to 1"]),
    "a foreign file": (_add(f"{_FOLDER}/data/notes.txt"), ["notes.txt is not part of the archive; move it away"]),
    "a foreign manifest": (_add(f"{_FOLDER}/manifest/x"), ["manifest/x is not part of the archive; move it away"]),
    "a file that nobody listed": (_add(data_file(_FOLDER, 5)), ["is not listed in the manifest"]),
    "a damaged manifest": (_change(manifest_file(_FOLDER, 0)), ["is damaged: "]),
    "a missing entry": (_drop_the_second_line, ["is not listed", "offsets 2 to 3 are missing"]),
}


@pytest.mark.parametrize("kind", _FAULTS)
def test_a_fault_is_one_line(kind: str) -> None:
    """Each fault names the object or the offsets, and says what to do."""
    store = _archive()
    _FAULTS[kind][0](store.objects)
    found = _faults(store)
    assert len(found) == len(_FAULTS[kind][1]), found
    for line, words in zip(found, _FAULTS[kind][1], strict=True):
        assert words in line
        assert "\n" not in line


def test_a_missing_manifest_is_listed_again() -> None:
    """The files are the truth: an archiver lists them again, and nothing else is needed."""
    store = _archive()
    del store.objects[manifest_file(_FOLDER, 0)]
    assert all("is not listed" in fault for fault in _faults(store))
    assert PartitionArchive(store, _LOG, 0).recover() == 6
    assert _faults(store) == []


def test_an_expired_beginning_can_be_accepted() -> None:
    """A lifecycle rule deletes the oldest files: what is left is whole, and says what it lacks."""
    store = _archive()
    del store.objects[data_file(_FOLDER, 0)]
    assert _faults(store, expired=True) == []
    held = Generation(store, generation_of(_LOG)).held(0)
    assert (held.begins, held.missing, held.records) == (2, 2, 4)


@pytest.mark.parametrize("first", [2, 4])
def test_a_missing_file_is_refused_by_a_reader(first: int) -> None:
    """A reader never passes over a hole."""
    store = _archive()
    del store.objects[data_file(_FOLDER, first)]
    with pytest.raises(FatalError, match="is missing"):
        Generation(store, generation_of(_LOG)).held(0)


def test_the_file_of_another_log_is_refused() -> None:
    """A file that was copied from another partition or topic is not taken for the next one."""
    store = _archive()
    store.objects[data_file(_FOLDER, 6)] = store.objects[data_file(_FOLDER, 2)]
    with pytest.raises(FatalError, match="doesn't belong there; move it away"):
        PartitionArchive(store, _LOG, 0).recover()
