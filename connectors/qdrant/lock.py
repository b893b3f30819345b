"""The lock on an embedded index's folder, and the file with its owner's control address."""

import fcntl
import logging
import os
import time
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from core.disk import full_disk_error
from core.errors import ConfigError, TicketstreamError
from core.private import keep_private, make_private_folder

logger: Final = logging.getLogger("ticketstream.index")

_LOCK: Final = "lock"
_OWNER: Final = "worker.json"
#: Seconds for which a start retries, because `find_owner` holds the lock for an instant to test it.
_PATIENCE_S: Final = 0.5
_RETRY_S: Final = 0.01
#: Files that a freshly formatted volume contains.
_VOLUME_FILES: Final = frozenset({"lost+found"})


class Owner(Struct, frozen=True):
    """A process that holds the lock. `address` and `token` are set once its control port answers."""

    pid: int
    address: str | None = None
    token: str | None = None


class InUseError(ConfigError):
    """Another process holds the lock."""


class FolderLock:
    """This process's lock on an index folder. It lasts until `release` or until the process ends."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor: int | None = descriptor

    def announce(self, address: str, token: str) -> None:
        """Note the control port's address and token in the folder, in a file that only this user can read."""
        draft = self._path / f"{_OWNER}.draft"
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(Owner(os.getpid(), address, token)))
        draft.replace(self._path / _OWNER)

    def release(self) -> None:
        """Unlock the folder. Idempotent."""
        if self._descriptor is not None:
            (self._path / _OWNER).unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None


def take_lock(path: Path) -> FolderLock:
    """Lock the index folder at `path` for this process, and close it to other users. It is created if it is missing.

    Raises:
        InUseError: another process holds the lock.
        ConfigError: the folder contains other files than an index, or is not writable.
    """
    try:
        make_private_folder(path)
        _require_index_folder(path)
        descriptor = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _not_writable(path, error) from None
    if not _lock(descriptor):
        holder = _holder(descriptor)
        os.close(descriptor)
        raise InUseError(
            f"the index in {path} is in use by process {holder}, and only one process can open an embedded index; for "
            "several workers set TICKETS_INDEX__URL to a Qdrant server, else set another TICKETS_INDEX__PATH"
        ) from None
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        (path / _OWNER).unlink(missing_ok=True)  # a killed owner's
    except OSError as error:
        os.close(descriptor)
        raise _not_writable(path, error) from None
    _close_to_others(path)
    return FolderLock(path, descriptor)


def _not_writable(path: Path, error: OSError) -> TicketstreamError:
    return full_disk_error(error, path) or ConfigError(
        f"TICKETS_INDEX__PATH: can't write {path} ({(error.strerror or '').lower()}); set it to a writable folder"
    )


def _close_to_others(path: Path) -> None:
    """Remove other users' access to the folder, before the engine creates files in it."""
    still_open = keep_private(path)
    if still_open is not None:
        logger.warning(
            "other users of this machine may read %s, and its permissions can't be changed; make it this "
            "user's own, or set "
            "TICKETS_INDEX__PATH to another folder",
            still_open,
        )


def find_owner(path: Path) -> Owner | None:
    """The process that holds the lock now, or None. Files that a killed owner left behind are ignored."""
    try:
        descriptor = os.open(path / _LOCK, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        holder = _holder(descriptor)
    else:
        return None
    finally:
        os.close(descriptor)
    try:
        return msgspec.json.decode((path / _OWNER).read_bytes(), type=Owner)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return Owner(holder)


def last_taken(path: Path) -> tuple[int, bytes] | None:
    """A value that changes whenever a process takes the lock; None before the first has.

    Raises:
        ConfigError: the lock can't be read, so it is unknown whether a process holds it.
    """
    try:
        descriptor = os.open(path / _LOCK, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(
            f"TICKETS_INDEX__PATH: can't read {path} ({(error.strerror or '').lower()}); run as the worker's user"
        ) from None
    try:
        return os.fstat(descriptor).st_mtime_ns, os.pread(descriptor, 20, 0)
    finally:
        os.close(descriptor)


def _require_index_folder(path: Path) -> None:
    """Refuse a folder of other files: an index creates its lock first, so a folder without one is not an index."""
    names = {entry.name for entry in path.iterdir()} - _VOLUME_FILES
    if names and _LOCK not in names:
        raise ConfigError(
            f"TICKETS_INDEX__PATH: {path} contains {min(names)} and is not an index; set it to a folder of its own"
        )


def _lock(descriptor: int) -> bool:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > deadline:
                return False
            time.sleep(_RETRY_S)
        else:
            return True


def _holder(descriptor: int) -> int:
    text = os.pread(descriptor, 20, 0)
    return int(text) if text.isdigit() else 0
