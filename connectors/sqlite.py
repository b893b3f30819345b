"""The common part of the stores in SQLite files: private files, transactions, and SQLite's errors as ours."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from core.errors import ConfigError, FatalError, TransientError
from core.private import close_to_others, make_private_folder

#: Suffixes of the file, its write-ahead log, and the log's index.
_SUFFIXES: Final = ("", "-wal", "-shm")
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


def make_private_file(path: Path, setting: str) -> None:
    """Create a file and its folder for this user alone, if they are missing.

    Raises:
        ConfigError: the file can't be written; the message names `setting`.
    """
    try:
        make_private_folder(path.parent)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise ConfigError(
            f"{setting}: can't write {path} ({(error.strerror or '').lower()}); choose another path"
        ) from None


def require_own(connection: sqlite3.Connection, application: int, path: Path, setting: str) -> None:
    """Check that a file is empty, or has our application id (https://www.sqlite.org/fileformat2.html#application_id).

    Then close it to other users, as a restored copy may be open to them.

    Raises:
        ConfigError: it is another program's; the message names `setting`.
    """
    # in this order: another process may be making the file, and gives it the id first
    if pragma(connection, "schema_version") and pragma(connection, "application_id") != application:
        raise ConfigError(f"{setting}: {path} is a file of another program; choose another path")
    for suffix in _SUFFIXES:
        close_to_others(path.with_name(path.name + suffix))


def pragma(connection: sqlite3.Connection, name: str) -> int:
    """The value of a pragma that is a number."""
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction that writes, undone if the block raises."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


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
