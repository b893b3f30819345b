"""Who owns an embedded index's folder, and where the owner can be asked."""

import fcntl
import os
import time
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from core.errors import ConfigError

_LOCK: Final = "lock"
_OWNER: Final = "worker.json"
#: `find_owner` holds the lock for an instant to see whether it is free; a start waits such instants out.
_PATIENCE_S: Final = 0.5
_AGAIN_S: Final = 0.01
#: What a fresh volume's root holds.
_NO_ONES: Final = frozenset({"lost+found"})


class Owner(Struct, frozen=True):
    """A process that holds the folder; `address` and `token` once it answers on its control port."""

    pid: int
    address: str | None = None
    token: str | None = None


class InUseError(ConfigError):
    """Another process holds the folder."""


class Ownership:
    """Held from construction to `release`, or to the process's end however it comes."""

    def __init__(self, path: Path) -> None:
        """Take the folder, creating it if need be.

        Raises:
            InUseError: another process holds it.
            ConfigError: it holds something else than an index, or it can't be written.
        """
        self._path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            _require_ours(path)
            self._lock: int | None = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigError(
                f"TICKETS_INDEX__PATH: can't write {path} ({(error.strerror or '').lower()}); name a folder that is "
                "ours to write"
            ) from None
        if not _take(self._lock):
            holder = _holder(self._lock)
            os.close(self._lock)
            raise InUseError(
                f"the index in {path} is in use by process {holder}, and the embedded engine has one owner; for "
                "several workers name a Qdrant server in TICKETS_INDEX__URL, else another TICKETS_INDEX__PATH"
            ) from None
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, str(os.getpid()).encode(), 0)
        (path / _OWNER).unlink(missing_ok=True)  # a former owner's

    def announce(self, address: str, token: str) -> None:
        """Write down, for this user only, where we answer."""
        draft = self._path / f"{_OWNER}.draft"
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(Owner(os.getpid(), address, token)))
        draft.replace(self._path / _OWNER)

    def release(self) -> None:
        """Let the folder go; twice is as good as once."""
        if self._lock is not None:
            (self._path / _OWNER).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None


def find_owner(path: Path) -> Owner | None:
    """The process that holds `path` now, or None. What a killed one left behind doesn't count."""
    try:
        lock = os.open(path / _LOCK, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        holder = _holder(lock)
    else:
        return None
    finally:
        os.close(lock)
    try:
        return msgspec.json.decode((path / _OWNER).read_bytes(), type=Owner)
    except (OSError, msgspec.DecodeError):
        return Owner(holder)


def _require_ours(path: Path) -> None:
    """The lock is the first thing an index makes in its folder, so a folder with anything else is somebody's."""
    names = {entry.name for entry in path.iterdir()} - _NO_ONES
    if names and _LOCK not in names:
        raise ConfigError(
            f"TICKETS_INDEX__PATH: {path} holds {min(names)} and no index; name a folder of its own for the index"
        )


def _take(lock: int) -> bool:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > deadline:
                return False
            time.sleep(_AGAIN_S)
        else:
            return True


def _holder(lock: int) -> int:
    text = os.pread(lock, 20, 0)
    return int(text) if text.isdigit() else 0
