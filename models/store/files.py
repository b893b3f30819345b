"""Files in the cache: their hashes, writable folders, a lock per folder, and progress."""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from core.disk import full_disk_error
from core.errors import ConfigError, TicketstreamError

#: Called with a label, the bytes done, and the bytes in total (None if unknown).
ProgressCallback = Callable[[str, int, int | None], None]


def sha256_of(path: Path) -> str:
    """Hexadecimal sha256 of a file."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def no_progress(_label: str, _done: int, _total: int | None) -> None:
    """A `ProgressCallback` that does nothing."""


def make_folder(path: Path) -> Path:
    """Create a folder in the cache, and check that it is writable.

    Raises:
        ConfigError: it is not writable; the message names the setting.
        UnavailableError: the disk is full.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_writable_error(path, error) from None
    if not os.access(path, os.W_OK):
        raise not_writable_error(path, None)
    return path


def not_writable_error(path: Path, error: OSError | None) -> TicketstreamError:
    """The error for a cache folder that is not writable, or full."""
    full = None if error is None else full_disk_error(error, path)
    if full is not None:
        return full
    why = f" ({error.strerror.lower()})" if error is not None and error.strerror else ""
    return ConfigError(f"TICKETS_MODEL__CACHE_DIR: can't write {path}{why}; set it to a writable folder")


@contextlib.contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, so that a second process waits, and then finds the files of the first."""
    make_folder(folder)
    with (folder / ".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
