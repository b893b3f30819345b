"""The archive in a folder: nothing half-written has a name, and faults are one line."""

import errno
import os
import signal
import subprocess
import sys
import threading
from io import BytesIO
from pathlib import Path

import pytest

from connectors.archive_store.folder import FolderArchive
from connectors.archive_store.open import open_archive
from core.archive_settings import ArchiveSettings
from core.errors import ConfigError, TicketstreamError, TransientError, UnavailableError
from tests.rigs.waiting import PATIENCE_S

_DIES = """
import os, signal, sys, io
from pathlib import Path
from connectors.archive_store.folder import FolderArchive
os.link = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
FolderArchive(Path(sys.argv[1])).create("a/1", io.BytesIO(b"half"))
"""


def test_a_kill_leaves_nothing(tmp_path: Path) -> None:
    """A process that dies before the object has its name leaves a draft, which the next start deletes."""
    done = subprocess.run([sys.executable, "-c", _DIES, str(tmp_path)], check=False, timeout=PATIENCE_S)
    assert done.returncode == -signal.SIGKILL
    assert list(FolderArchive(tmp_path).names("")) == []
    assert len(list((tmp_path / ".drafts").iterdir())) == 1
    open_archive(ArchiveSettings(place=str(tmp_path)))
    assert list((tmp_path / ".drafts").iterdir()) == []


def test_a_missing_folder_of_temporary_files_is_said_at_once(tmp_path: Path) -> None:
    """The archiver would otherwise read, and end in a traceback at its first file."""
    reason = r"TICKETS_ARCHIVE__SPOOL_DIR: can't write temporary files in .*spool \(no such file or directory\)"
    with pytest.raises(ConfigError, match=reason):
        open_archive(ArchiveSettings(place=str(tmp_path), spool_dir=tmp_path / "spool"))


def test_other_users_can_read_and_lock_nothing(tmp_path: Path) -> None:
    """Another user can't open the lock, because holding it would stop all archivers."""
    store = FolderArchive(tmp_path / "new" / "archive")
    before = os.umask(0o022)
    try:
        assert store.create("topic/0/m", BytesIO(b"1"))
        found = store.read("topic/0/m")
        assert found is not None
        assert store.replace("topic/0/m", b"2", found.version)
    finally:
        os.umask(before)
    assert {path for path in (tmp_path / "new").rglob("*") if path.stat().st_mode & 0o077} == set()


def test_a_draft_that_is_being_written_stays(tmp_path: Path) -> None:
    """The start of one archiver doesn't disturb another."""
    store = FolderArchive(tmp_path)
    with store._draft(BytesIO(b"1")) as draft:
        open_archive(ArchiveSettings(place=str(tmp_path)))
        assert draft.read_bytes() == b"1"
    assert list((tmp_path / ".drafts").iterdir()) == []


def test_one_of_many_writers_wins(tmp_path: Path) -> None:
    """Of writers that create or replace an object at the same time exactly one does, and its content stays."""
    store = FolderArchive(tmp_path)
    store.create("m", BytesIO(b"old"))
    old = store.read("m")
    assert old is not None
    won: list[tuple[str, bytes]] = []
    start = threading.Barrier(8)

    def write(content: bytes) -> None:
        start.wait()
        if store.create("a/1", BytesIO(content)):
            won.append(("a/1", content))
        if store.replace("m", content, old.version):
            won.append(("m", content))

    threads = [threading.Thread(target=write, args=(bytes([number]) * 10_000,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [(name, one.data) for name in ("a/1", "m") if (one := store.read(name)) is not None]
    assert sorted(won) == found


def test_a_lock_that_is_never_released_is_an_outage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was stopped while it held the lock doesn't make others hang."""
    monkeypatch.setattr("connectors.archive_store.folder._LOCK_S", 0.05)
    store = FolderArchive(tmp_path)
    store.create("m", BytesIO(b"old"))
    old = store.read("m")
    assert old is not None
    with store._locked(), pytest.raises(TransientError, match="another process holds the lock"):
        store.replace("m", b"new", old.version)
    assert store.replace("m", b"new", old.version)


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (errno.ENOSPC, UnavailableError, "no space left on device; free some space"),
        (errno.EACCES, UnavailableError, "Permission denied; check the folder in TICKETS_ARCHIVE__PLACE"),
        (errno.EROFS, UnavailableError, "Read-only file system; check the folder"),
        (errno.EIO, TransientError, "Input/output error"),
    ],
)
def test_a_fault_is_one_line(
    code: int, kind: type[TicketstreamError], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk and a refusal end the archiver; what may pass is retried. Nothing has a name then."""

    def fail(*_args: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(kind, match=words):
        FolderArchive(tmp_path).create("a/1", BytesIO(b"1"))
    assert list(FolderArchive(tmp_path).names("")) == []


def test_a_folder_that_cannot_be_read_is_not_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive that may not be listed is an error, not an empty archive."""

    def refuse(*_args: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    (tmp_path / "a").mkdir()
    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(UnavailableError, match="Permission denied"):
        list(FolderArchive(tmp_path).names("a/"))


@pytest.mark.parametrize("place", [None, "http://host/a", "s3://", "s3://key:secret@bucket/a", "http://[bad"])
def test_a_wrong_place_names_the_setting(place: str | None) -> None:
    """A place that is neither a folder nor a bucket is a mistake of the user, and shows no password."""
    with pytest.raises(ConfigError, match="TICKETS_ARCHIVE__PLACE") as caught:
        open_archive(ArchiveSettings(place=place))
    assert "secret" not in str(caught.value)
