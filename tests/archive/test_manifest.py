"""The manifest: entries in order, in parts, by writers that can't undo each other's."""

import pytest

from archive.files import DamagedError, Entry
from archive.manifest import Manifest
from core.errors import TransientError
from tests.archive.fakes import MemoryArchive


def _entry(first: int, sha256: str = "") -> Entry:
    return Entry(first, first + 10, 10, 100, sha256, 0)


def test_entries_come_back_in_order() -> None:
    """250 files make three parts, and the position is the end of the last."""
    store = MemoryArchive()
    entries = [_entry(number * 10) for number in range(250)]
    for entry in entries:
        Manifest(store, "p").append(entry)
    assert list(Manifest(store, "p").entries()) == entries
    assert Manifest(store, "p").position() == 2_500
    assert len(list(store.names("p/manifest/"))) == 3


def test_a_writer_sees_what_another_has_added() -> None:
    """A manifest that was read earlier is read again when it was changed since."""
    store = MemoryArchive()
    one, other = Manifest(store, "p"), Manifest(store, "p")
    one.position()
    other.position()
    one.append(_entry(0))
    other.append(_entry(0))
    other.append(_entry(10))
    one.append(_entry(10))
    assert [entry.first for entry in Manifest(store, "p").entries()] == [0, 10]


def test_another_file_at_the_same_offset_is_refused() -> None:
    """An entry is never replaced by another one."""
    manifest = Manifest(MemoryArchive(), "p")
    manifest.append(_entry(0))
    manifest.append(_entry(10))
    with pytest.raises(DamagedError, match="another file at offset 0"):
        manifest.append(_entry(0, "other"))


def test_a_hole_is_refused() -> None:
    """A file that doesn't begin where the manifest ends can't be listed."""
    manifest = Manifest(MemoryArchive(), "p")
    manifest.append(_entry(0))
    with pytest.raises(DamagedError, match="ends at offset 10, before 20"):
        manifest.append(_entry(20))


@pytest.mark.parametrize(
    "line",
    [
        b"{}\n",
        b'{"first":10,"next":20,"records":1,"bytes":1,"sha256":"\xff","written_ms":0}\n',
        b'{"first":10,"next":20,"records":1,"bytes":1,"sha256":"","written_ms":1000000000000000}\n',
    ],
)
def test_a_damaged_part_is_named(line: bytes) -> None:
    """A line that is no entry, or has a flipped bit in a text or a time that nothing can show, names the object."""
    store = MemoryArchive()
    Manifest(store, "p").append(_entry(0))
    (name,) = store.names("p/")
    store.objects[name] += line
    with pytest.raises(DamagedError, match=f"memory:{name} is damaged"):
        Manifest(store, "p").position()


def test_a_manifest_that_keeps_changing_is_an_outage() -> None:
    """A write that is refused again and again is retried later, not for ever."""
    store = MemoryArchive()
    manifest = Manifest(store, "p")
    manifest.append(_entry(0))
    store.replace = lambda *_: False  # type: ignore[method-assign]
    with pytest.raises(TransientError, match="keeps changing"):
        manifest.append(_entry(10))
