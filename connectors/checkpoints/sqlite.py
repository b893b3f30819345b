"""Implements `core.producing.Checkpoints` in a SQLite file, for the tasks of one machine."""

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import msgspec

from connectors.sqlite import make_private_file, require_own, transaction, translated
from core.errors import FatalError, TransientError, UnavailableError
from core.producing import MAX_AHEAD_MS, Checkpoint, Lease

_SETTING: Final = "TICKETS_PRODUCER__PATH"
_BUSY_S: Final = 5.0
#: "TKPR": tells our files from other programs'.
_APPLICATION: Final = 0x544B5052
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS files (
    file_id TEXT PRIMARY KEY, owner TEXT NOT NULL, until_ms INTEGER NOT NULL, checkpoint BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tasks (owner TEXT PRIMARY KEY, until_ms INTEGER NOT NULL) WITHOUT ROWID;
"""
_CLAIM: Final = """
INSERT INTO files VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET owner = excluded.owner, until_ms = excluded.until_ms
WHERE files.owner = excluded.owner OR files.until_ms <= ? OR files.until_ms > ? RETURNING checkpoint
"""
_DECODER: Final = msgspec.json.Decoder(Checkpoint)


class SqliteCheckpoints:
    """See `core.producing.Checkpoints`. One connection, which one thread uses at a time."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self._lock = threading.Lock()

    def load(self) -> Mapping[str, Lease]:
        """See `Checkpoints`."""
        with self._lock, translated(self._path):
            rows = self._connection.execute("SELECT file_id, checkpoint, owner, until_ms FROM files").fetchall()
        return {file_id: Lease(_DECODER.decode(found), owner, until_ms) for file_id, found, owner, until_ms in rows}

    def claim(self, new: Checkpoint, owner: str, *, now_ms: int, until_ms: int) -> Checkpoint | None:
        """See `Checkpoints`."""
        with self._writing() as connection:
            values = (new.file_id, owner, until_ms, msgspec.json.encode(new), now_ms, until_ms + MAX_AHEAD_MS)
            found = connection.execute(_CLAIM, values).fetchall()
        return _DECODER.decode(found[0][0]) if found else None

    def save(self, checkpoint: Checkpoint, owner: str) -> bool:
        """See `Checkpoints`."""
        values = (msgspec.json.encode(checkpoint), checkpoint.file_id, owner)
        with self._writing() as connection:
            done = connection.execute("UPDATE files SET checkpoint = ? WHERE file_id = ? AND owner = ?", values)
        return done.rowcount == 1

    def release(self, file_id: str, owner: str) -> None:
        """See `Checkpoints`."""
        with self._writing() as connection:
            connection.execute("UPDATE files SET until_ms = 0 WHERE file_id = ? AND owner = ?", (file_id, owner))

    def forget(self, file_ids: Sequence[str], *, now_ms: int) -> None:
        """See `Checkpoints`."""
        with self._writing() as connection:
            values = [(file_id, now_ms) for file_id in file_ids]
            connection.executemany("DELETE FROM files WHERE file_id = ? AND until_ms <= ?", values)

    def join(self, owner: str, *, now_ms: int, until_ms: int) -> int:
        """See `Checkpoints`."""
        with self._writing() as connection:
            ended = (now_ms, until_ms + MAX_AHEAD_MS)
            connection.execute("DELETE FROM tasks WHERE until_ms <= ? OR until_ms > ?", ended)
            connection.execute("INSERT OR REPLACE INTO tasks VALUES (?, ?)", (owner, until_ms))
            return int(connection.execute("SELECT COUNT(*) FROM tasks").fetchone()[0])

    def leave(self, owner: str) -> None:
        """See `Checkpoints`."""
        with self._writing() as connection:
            connection.execute("DELETE FROM tasks WHERE owner = ?", (owner,))

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction, undone if the block raises."""
        with self._lock, translated(self._path), transaction(self._connection):
            yield self._connection


def open_sqlite(path: Path, stack: ExitStack) -> SqliteCheckpoints:
    """The checkpoints in a file, which is created for this user alone if it is missing.

    Raises:
        ConfigError: the path can't be written, or the file is another program's.
        UnavailableError: the file is locked or damaged.
    """
    make_private_file(path, _SETTING)
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    stack.callback(connection.close)
    try:
        with translated(path):
            _prepare(connection, path)
    except (TransientError, FatalError) as error:
        raise UnavailableError(str(error)) from None
    return SqliteCheckpoints(path, connection)


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    require_own(connection, _APPLICATION, path, _SETTING)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # after a power cut no lease may be given twice
    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
    connection.executescript(_SCHEMA)
