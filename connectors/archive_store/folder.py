"""The archive in a folder: files that are complete before they have a name, and flushed to the disk."""

import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from archive.store import Versioned
from core.disk import full_disk_error
from core.errors import TicketstreamError, TransientError, UnavailableError
from core.private import make_private_folder, open_private

#: Files without a name of the archive yet. A process holds the lock of each while it writes it.
_DRAFTS: Final = ".drafts"
_LOCK: Final = ".lock"
_LOCK_S: Final = 5.0
_LOCK_PAUSE_S: Final = 0.01
#: Errors that last until the user acts.
_REFUSED: Final = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR}


class FolderArchive:
    """Implements `archive.store.ArchiveStore`. Several processes of a machine may use the folder."""

    def __init__(self, root: Path) -> None:
        """Use the folder `root`, which is created with the first object."""
        self._root = root

    def where(self, name: str) -> str:
        """See `ArchiveStore`."""
        return str(self._root / name)

    def names(self, prefix: str) -> Iterator[str]:
        """See `ArchiveStore`."""
        start = self._root / prefix.rpartition("/")[0]
        with self._errors(prefix):
            found = [Path(folder, file) for folder, _, files in os.walk(start, onerror=_raise) for file in files]
        names = sorted(path.relative_to(self._root).as_posix() for path in found)
        yield from (name for name in names if name.startswith(prefix) and not name.startswith("."))

    def folders(self, folder: str) -> list[str]:
        """See `ArchiveStore`."""
        with self._errors(folder):
            try:
                found = [path.name for path in (self._root / folder).iterdir() if path.is_dir()]
            except FileNotFoundError:
                return []
        return sorted(name for name in found if not name.startswith("."))

    def read(self, name: str) -> Versioned | None:
        """See `ArchiveStore`."""
        with self._errors(name):
            try:
                data = (self._root / name).read_bytes()
            except FileNotFoundError:
                return None
        return Versioned(data, hashlib.sha256(data).hexdigest())

    def fetch(self, name: str, to: BinaryIO) -> bool:
        """See `ArchiveStore`."""
        with self._errors(name):
            try:
                with (self._root / name).open("rb") as file:
                    shutil.copyfileobj(file, to)
            except FileNotFoundError:
                return False
        return True

    def create(self, name: str, source: BinaryIO) -> bool:
        """See `ArchiveStore`."""
        with self._errors(name), self._draft(source) as draft:
            self._make_parents(name)
            try:
                os.link(draft, self._root / name)
            except FileExistsError:
                return False
            finally:  # also the name that a killed process has given and not flushed
                _flush_folder((self._root / name).parent)
        return True

    def replace(self, name: str, data: bytes, version: str) -> bool:
        """See `ArchiveStore`."""
        with self._errors(name), self._draft(BytesIO(data)) as draft, self._locked():
            found = self.read(name)
            if found is None or found.version != version:
                return False
            draft.replace(self._root / name)
            _flush_folder((self._root / name).parent)
        return True

    def clear(self) -> None:
        """Delete what killed processes have left half-written."""
        with self._errors(_DRAFTS):
            for path in sorted((self._root / _DRAFTS).glob("*")):
                with suppress(FileNotFoundError), path.open("rb") as file, suppress(BlockingIOError):
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink()

    @contextmanager
    def _draft(self, source: BinaryIO) -> Iterator[Path]:
        folder = self._root / _DRAFTS
        make_private_folder(folder)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            path = Path(file.name)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                source.seek(0)
                shutil.copyfileobj(source, file)
                file.flush()
                os.fsync(file.fileno())
                yield path
            finally:
                path.unlink(missing_ok=True)

    def _make_parents(self, name: str) -> None:
        """Create the folders of `name`, each durable in the one above it."""
        folder = self._root
        for part in Path(name).parts[:-1]:
            folder = folder / part
            if not folder.is_dir():
                make_private_folder(folder)
                _flush_folder(folder.parent)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock of all manifests. A process that hangs while it holds it is an outage, not a hang of all."""
        with open_private(self._root / _LOCK) as file:  # anyone who can open it can hold its lock
            deadline = time.monotonic() + _LOCK_S
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise TransientError(f"{self._root / _LOCK}: another process holds the lock") from None
                    time.sleep(_LOCK_PAUSE_S)
                else:
                    break
            yield

    @contextmanager
    def _errors(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._translated(error, name) from None

    def _translated(self, error: OSError, name: str) -> TicketstreamError:
        if (full := full_disk_error(error, self._root / name)) is not None:
            return full
        message = f"{self._root / name}: {error.strerror or error}"
        if error.errno in _REFUSED:
            return UnavailableError(f"{message}; check the folder in TICKETS_ARCHIVE__PLACE and its permissions")
        return TransientError(message)


def _raise(error: OSError) -> None:
    """Raise, because an unreadable folder is not an empty one."""
    if not isinstance(error, FileNotFoundError):
        raise error


def _flush_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
