"""Files that are either whole and verified, or not there."""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from core.errors import ConfigError

#: Told what is being done, how much of it, and how much there is in all (bytes; None where nobody knows).
ProgressCallback = Callable[[str, int, int | None], None]


def sha256_of(path: Path) -> str:
    """Hexadecimal sha256 of a file."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def no_progress(_label: str, _done: int, _total: int | None) -> None:
    """A progress that nobody hears."""


def make_folder(path: Path) -> Path:
    """Create `path` in the cache.

    Raises:
        ConfigError: it can't be written; the line names the setting.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error) from None
    if not os.access(path, os.W_OK):
        raise unwritable(path, None)
    return path


def unwritable(path: Path, error: OSError | None) -> ConfigError:
    """The error for a cache that takes no files."""
    why = f" ({error.strerror.lower()})" if error is not None and error.strerror else ""
    return ConfigError(f"TICKETS_MODEL__CACHE_DIR: can't write {path}{why}; name a folder that is ours to write")


@contextlib.contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: of two processes that want the same files, the second finds them there."""
    make_folder(folder)
    with (folder / ".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
