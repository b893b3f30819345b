"""SQLite's errors as ours."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from core.errors import FatalError, TransientError

#: Messages by primary result code (https://www.sqlite.org/rescode.html) of an outage.
_OUTAGES: Final = {
    "SQLITE_BUSY": "another process holds its lock; end that process",
    "SQLITE_LOCKED": "another connection holds its lock",
    "SQLITE_FULL": "the disk is full; free some space",
    "SQLITE_IOERR": "the disk can't be read or written; check it and its free space",
    "SQLITE_NOMEM": "memory is exhausted",
    "SQLITE_READONLY": "it can't be written; check the permissions of the file and its folder",
    "SQLITE_CANTOPEN": "it can't be opened; check the permissions of the file and its folder",
}


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Translate SQLite's errors.

    Raises:
        TransientError: the file is locked, or the disk is full or fails.
        FatalError: the file is damaged.
    """
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorname", "")
        for name, advice in _OUTAGES.items():
            if code.startswith(name):
                raise TransientError(f"{path}: {advice} ({error})", retry_after_s=1.0) from None
        if code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            raise FatalError(f"{path}: the file is damaged ({error}); restore it from a backup") from None
        raise FatalError(f"{path}: {error}") from None
