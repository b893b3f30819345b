"""The SQLite file of tickets: its schema and its connections."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from connectors.sqlite import make_private_file, pragma, require_own, transaction, translated
from core.errors import ConfigError, FatalError, TransientError, UnavailableError

_SETTING: Final = "TICKETS_API__PATH"
_BUSY_S: Final = 5.0
#: "TKTS": tells our files from other programs'.
_APPLICATION: Final = 0x544B5453
_SCHEMA_VERSION: Final = 1

#: Wide columns come last, so that reading the others skips their pages.
_SCHEMA: Final = """
CREATE TABLE tickets (
    tenant_id TEXT NOT NULL, ticket_id TEXT NOT NULL, version INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
    created_ms INTEGER, status TEXT, customer_id TEXT,  -- NULL in a tombstone
    summary BLOB, value BLOB NOT NULL,
    PRIMARY KEY (tenant_id, ticket_id)
);
CREATE INDEX tickets_by_time ON tickets (tenant_id, created_ms, ticket_id) WHERE created_ms IS NOT NULL;
CREATE INDEX tickets_by_status ON tickets (tenant_id, status, created_ms, ticket_id) WHERE created_ms IS NOT NULL;
CREATE INDEX tickets_by_customer ON tickets (tenant_id, customer_id, created_ms, ticket_id)
    WHERE customer_id IS NOT NULL;
CREATE TABLE outbox (
    row_id INTEGER PRIMARY KEY AUTOINCREMENT, tenant_id TEXT NOT NULL, ticket_id TEXT NOT NULL,
    version INTEGER NOT NULL, updated_ms INTEGER NOT NULL, value BLOB NOT NULL
);
CREATE TABLE requests (
    tenant_id TEXT NOT NULL, user_id TEXT NOT NULL, key TEXT NOT NULL, expires_ms INTEGER NOT NULL,
    request_hash TEXT NOT NULL, status INTEGER NOT NULL, headers BLOB NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (tenant_id, user_id, key)
);
CREATE INDEX requests_by_expiry ON requests (expires_ms);
CREATE TABLE leases (name TEXT PRIMARY KEY, owner TEXT NOT NULL, until_ms INTEGER NOT NULL);
"""


class Database:
    """A file with a connection for reading and one for writing, each used by one thread at a time."""

    def __init__(self, path: Path, reader: sqlite3.Connection, writer: sqlite3.Connection) -> None:
        self._path = path
        self._connections = (reader, writer)
        self._locks = (threading.Lock(), threading.Lock())

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection for reading.

        Raises:
            TransientError: the file is locked, or the disk fails.
            FatalError: the file is damaged.
        """
        with self._locks[0], translated(self._path):
            yield self._connections[0]

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: durable on return, and undone if the block raises.

        Raises:
            TransientError: the file is locked, or the disk is full or fails.
            FatalError: the file is damaged.
        """
        connection = self._connections[1]
        with self._locks[1], translated(self._path), transaction(connection):
            yield connection

    def close(self) -> None:
        """Close both connections."""
        for connection, lock in zip(self._connections, self._locks, strict=True):
            with lock:
                connection.close()


def open_database(path: Path) -> Database:
    """Open the file, and create it and its folder for this user alone if they are missing.

    Raises:
        ConfigError: the path can't be written, or the file is another program's or a newer version's.
        UnavailableError: the file is locked or damaged.
    """
    make_private_file(path, _SETTING)
    try:
        with translated(path):
            _prepare(path)
            return Database(path, _connect(path), _connect(path))
    except (TransientError, FatalError) as error:
        raise UnavailableError(str(error)) from None


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = FULL")  # a commit outlives a power cut, as the broker's copy does
    connection.execute("PRAGMA secure_delete = ON")  # deleted text is overwritten
    return connection


def _prepare(path: Path) -> None:
    with closing(_connect(path)) as connection:
        require_own(connection, _APPLICATION, path, _SETTING)
        if pragma(connection, "user_version") > _SCHEMA_VERSION:
            raise ConfigError(f"{_SETTING}: {path} was written by a newer version; update this program")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        if not pragma(connection, "schema_version"):  # another process may have been faster
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
        connection.execute("COMMIT")
