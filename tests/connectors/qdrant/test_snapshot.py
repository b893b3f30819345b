"""Readers of an embedded index: they never write to its folder, and never keep a worker from opening it."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connectors.qdrant import copying
from connectors.qdrant.engine import NoIndexError
from connectors.qdrant.lock import InUseError, take_lock
from connectors.qdrant.open import open_reader
from connectors.qdrant.reading import VersionedReader
from core.errors import ConfigError, UnavailableError
from core.settings import IndexSettings
from tests.connectors.qdrant.disks import small_disk
from tests.contracts.index_laws import DIMENSION, MODEL, held, opened, search, ticket, vector

#: Opens the index for writing, writes a ticket, and keeps the index open until its stdin ends.
_WRITE = (
    "import sys; from pathlib import Path; from core.settings import IndexSettings\n"
    "from tests.contracts.index_laws import opened, ticket\n"
    "index = opened(IndexSettings(path=Path(sys.argv[1]))); index.write([ticket('late', 1, 2)])\n"
    "print('written', flush=True); sys.stdin.read()\n"
)


@contextmanager
def _writer(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the index and has written to it."""
    command = [sys.executable, "-c", _WRITE, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        yield process
        process.kill()


def _reader(path: Path) -> VersionedReader:
    return open_reader(IndexSettings(path=path), dimension=DIMENSION, model=MODEL)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The folder of a closed index with a few tickets."""
    index = opened(IndexSettings(path=tmp_path / "index"))
    index.write([ticket(str(n), 1, 2) for n in range(20)])
    index.close()
    return tmp_path / "index"


def _state(path: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """Everything about the files of a folder that a write would change."""
    return {
        str(file.relative_to(path)): (
            (stat := file.stat()).st_mtime_ns,
            stat.st_ino,
            stat.st_size,
            file.read_bytes() if file.is_file() else b"",
        )
        for file in [path, *path.rglob("*")]
    }


def test_a_missing_index_is_not_created(tmp_path: Path) -> None:
    """Reading a folder that is missing or empty raises NoIndexError, and creates no file."""
    for folder in (tmp_path / "missing", tmp_path):
        with pytest.raises(NoIndexError, match=r"there is no index in .* yet; start a worker"):
            _reader(folder)
    assert list(tmp_path.iterdir()) == []


def test_a_start_that_was_killed_left_no_index(path: Path) -> None:
    """A folder with `index.json` and without its shard counts as missing."""
    (path / "shard").rename(path.with_name("elsewhere"))
    with pytest.raises(NoIndexError):
        _reader(path)


def test_reading_leaves_the_folder_as_it_was(path: Path) -> None:
    """A reader changes no file of the index: neither content nor modification time."""
    before = _state(path)
    reader = _reader(path)
    assert search(reader, vector("acme", "7", 1, 0), limit=1) == [("acme", "7", 1)]
    assert len(held(reader)) == 20
    assert reader.size().points == 40
    reader.close()
    assert _state(path) == before


def test_reading_leaves_no_copy_behind(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy is deleted as soon as it is open, so a reader that is killed leaves nothing behind either."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    reader = _reader(path)
    assert list((tmp_path / "tmp").iterdir()) == []
    assert len(held(reader)) == 20
    reader.close()


def test_a_killed_writers_acked_writes_are_read(path: Path) -> None:
    """A reader replays a crashed writer's log in its copy, and leaves the folder to the next writer."""
    with _writer(path) as writer:
        writer.kill()
    before = _state(path)
    reader = _reader(path)
    assert ("acme", "late") in held(reader)
    reader.close()
    assert _state(path) == before


def test_a_worker_opens_the_index_beside_a_reader(path: Path) -> None:
    """An index that is open for reading can be opened for writing; the reader keeps its contents."""
    reader = _reader(path)
    with _writer(path):
        assert ("acme", "late", 1) not in search(reader, vector("acme", "late", 1, 0))
    reader.close()
    again = _reader(path)
    assert ("acme", "late", 1) in search(again, vector("acme", "late", 1, 0))
    again.close()


def test_an_index_in_use_is_not_read(path: Path) -> None:
    """A folder that a process has locked is refused with that process's number."""
    with _writer(path) as writer, pytest.raises(InUseError, match=rf"process {writer.pid} is using the index"):
        _reader(path)


def test_another_users_index_is_not_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that can't be read might be held, so the folder is refused."""

    def denied(*_arguments: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(
        ConfigError, match=r"TICKETS_INDEX__PATH: can't read .* \(permission denied\); run as the worker's"
    ):
        _reader(path)


def _taken(path: Path) -> None:
    take_lock(path).release()


def _rewritten(path: Path) -> None:
    _taken(path)
    next(file for file in (path / "shard").rglob("segment.json")).unlink()


@pytest.mark.parametrize("happens", [_taken, _rewritten])
def test_a_copy_made_during_a_write_is_thrown_away(
    path: Path, monkeypatch: pytest.MonkeyPatch, happens: Callable[[Path], None]
) -> None:
    """A reader reports that the index was in use if a process took its lock while it was being copied."""
    copy_file = copying.copy_file

    def slow(source: Path, target: Path) -> None:
        if source.name == "segment.json":
            happens(path)
        copy_file(source, target)

    monkeypatch.setattr(copying, "copy_file", slow)
    with pytest.raises(InUseError, match="try again"):
        _reader(path)


def test_tickets_are_listed_as_of_now(path: Path) -> None:
    """`tickets` refuses to list an index that a process has taken since it was opened here."""
    reader = _reader(path)
    take_lock(path).release()
    with pytest.raises(InUseError, match="a process has opened the index"):
        held(reader)
    reader.close()


def test_a_damaged_index_is_named(path: Path) -> None:
    """The error names the index's own folder and not its copy."""
    for file in (path / "shard").rglob("segment.json"):
        os.truncate(file, file.stat().st_size // 2)
    with pytest.raises(ConfigError, match=rf"TICKETS_INDEX__PATH: {path}/shard can't be opened"):
        _reader(path)


def test_a_disk_without_room_for_the_copy_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variable that puts the copy elsewhere."""

    def full(_source: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(copying, "copy_file", full)
    with pytest.raises(UnavailableError, match=r"can't copy .*no space left.*TMPDIR"):
        _reader(path)


def test_a_disk_that_a_copy_would_fill_is_left_as_it_was(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is copied: an engine that meets the end of the disk ends the process, and its copy stays."""
    with small_disk(tmp_path / "tmp", mib=32) as disk:
        monkeypatch.setattr(tempfile, "tempdir", str(disk))
        monkeypatch.setattr(copying, "copy_file", lambda *_files: pytest.fail("it copies"))
        with pytest.raises(UnavailableError, match=rf"that takes 3\d MiB, and {disk} has 3[12] MiB free; .*TMPDIR"):
            _reader(path)
        assert list(disk.iterdir()) == []


def test_holes_are_not_copied(tmp_path: Path) -> None:
    """A sparse file's copy has the same content and takes no more room on disk."""
    sparse, copy = tmp_path / "sparse", tmp_path / "copy"
    with sparse.open("wb") as file:
        file.seek(10_000_000)
        file.write(b"data")
        file.truncate(20_000_000)
    copying.copy_file(sparse, copy)
    assert copy.read_bytes() == sparse.read_bytes()
    assert copy.stat().st_blocks * 512 < 1_000_000
