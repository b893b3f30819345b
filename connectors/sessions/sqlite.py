"""Implements `core.sessions.Endings` in an SQLite file that the services of a machine share."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from connectors.sqlite import make_private_file, require_own, transaction
from core.errors import ConfigError, TransientError
from core.sessions import Ending

_SETTING: Final = "TICKETS_SESSIONS__PATH"
#: A request waits for it.
_BUSY_S: Final = 1.0
#: "TKSE": tells our files from other programs'.
_APPLICATION: Final = 0x544B5345
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS endings (
    key TEXT PRIMARY KEY, until_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS endings_by_expiry ON endings (expires_ms);
"""
_PUT: Final = """
INSERT INTO endings VALUES (?, ?, ?) ON CONFLICT DO UPDATE
SET until_ms = max(until_ms, excluded.until_ms), expires_ms = max(expires_ms, excluded.expires_ms)
"""


class SqliteEndings:
    """See `core.sessions.Endings`. One connection, which one thread uses at a time."""

    blocking = True

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self._lock = threading.Lock()

    def put(self, ending: Ending, *, now_ms: int) -> None:
        """See `Endings`. Ends that have expired are removed."""
        with self._using() as connection, transaction(connection):
            connection.execute("DELETE FROM endings WHERE expires_ms <= ?", (now_ms,))
            connection.execute(_PUT, (ending.key, ending.until_ms, ending.expires_ms))

    def find(self, keys: Sequence[str], *, now_ms: int) -> Sequence[Ending]:
        """See `Endings`."""
        with self._using() as connection:
            rows = [
                connection.execute("SELECT * FROM endings WHERE key = ? AND expires_ms > ?", (key, now_ms)).fetchone()
                for key in keys
            ]
        return [Ending(*row) for row in rows if row is not None]

    def close(self) -> None:
        """See `Endings`."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._connection
            except sqlite3.Error as error:
                raise TransientError(f"{self._path}: {error}", retry_after_s=1.0) from None


def open_sqlite_endings(path: Path) -> SqliteEndings:
    """The store in the file `path`, which is created for this user alone if it is missing.

    Raises:
        ConfigError: the file can't be written, or is another program's or damaged.
    """
    make_private_file(path, _SETTING)
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        require_own(connection, _APPLICATION, path, _SETTING)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.executescript(_SCHEMA)
    except sqlite3.Error as error:
        connection.close()
        raise ConfigError(f"{_SETTING}: {path} can't be opened ({error}); restore it, or choose another path") from None
    except ConfigError:
        connection.close()
        raise
    return SqliteEndings(path, connection)
