"""Tickets in a SQLite file, for one machine. Their outbox is in `sqlite_outbox`."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from connectors.ticket_store.database import Database, open_database
from connectors.ticket_store.sqlite_outbox import SqliteOutbox
from core.contract import TicketEvent, UpsertEvent
from core.ticket_store import (
    Change,
    ConflictError,
    Cursor,
    KeyUsedError,
    OutboxEvent,
    Page,
    RequestKey,
    SavedResponse,
    TicketQuery,
    TicketSummary,
    decode_value,
    summary_of,
    version_of,
)

#: Maximum expired rows that a write removes, so that it stays short.
_SWEEP: Final = 10
#: Tickets that are read at once.
_SCANNED: Final = 200

_ENCODER: Final = msgspec.msgpack.Encoder()
_SUMMARY: Final = msgspec.msgpack.Decoder(TicketSummary)


class SqliteTickets:
    """Implements `core.ticket_store.TicketStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, tenant_id: str, ticket_id: str) -> TicketEvent | None:
        """See `TicketStore`."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT value FROM tickets WHERE tenant_id = ? AND ticket_id = ?", (tenant_id, ticket_id)
            ).fetchone()
        return None if row is None else decode_value(row[0])

    def find(self, query: TicketQuery) -> Page:
        """See `TicketStore`."""
        where, values = ["tenant_id = ?", "created_ms IS NOT NULL"], [query.tenant_id]
        for column, wanted in (("status", query.status), ("customer_id", query.customer_id)):
            if wanted is not None:
                where.append(f"{column} = ?")
                values.append(wanted)
        if query.after is not None:
            where.append("(created_ms, ticket_id) < (?, ?)")
            values += [query.after.created_ms, query.after.ticket_id]  # type: ignore[list-item]  # any SQL value
        sql = (
            f"SELECT summary FROM tickets WHERE {' AND '.join(where)} "  # noqa: S608 - constants
            "ORDER BY created_ms DESC, ticket_id DESC LIMIT ?"
        )
        with self._database.reading() as connection:
            rows = connection.execute(sql, (*values, query.limit + 1)).fetchall()
        found = [_SUMMARY.decode(row[0]) for row in rows[: query.limit]]
        more = len(rows) > query.limit
        return Page(found, Cursor(found[-1].created_ms, found[-1].ticket_id) if more else None)

    def apply(self, change: Change) -> None:
        """See `TicketStore`."""
        with self._database.writing() as connection:
            if change.request is not None:
                _save_response(connection, *change.request, now_ms=change.updated_ms)
            _save_ticket(connection, change)
            connection.execute(
                "INSERT INTO outbox (tenant_id, ticket_id, version, updated_ms, value) VALUES (?, ?, ?, ?, ?)",
                (*_ids(change), version_of(change.event), change.updated_ms, change.value),
            )

    def response(self, key: RequestKey, *, now_ms: int) -> SavedResponse | None:
        """See `TicketStore`."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT request_hash, status, headers, body, expires_ms FROM requests "
                "WHERE tenant_id = ? AND user_id = ? AND key = ? AND expires_ms > ?",
                (key.tenant_id, key.user_id, key.key, now_ms),
            ).fetchone()
        if row is None:
            return None
        request_hash, status, headers, body, expires_ms = row
        return SavedResponse(
            request_hash=request_hash, status=status, headers=json.loads(headers), body=body, expires_ms=expires_ms
        )

    def changed_since(self, updated_ms: int) -> Iterator[OutboxEvent]:
        """See `TicketStore`."""
        after = 0
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(
                    "SELECT rowid, tenant_id, ticket_id, version, updated_ms, value FROM tickets "
                    "WHERE rowid > ? AND updated_ms >= ? ORDER BY rowid LIMIT ?",
                    (after, updated_ms, _SCANNED),
                ).fetchall()
            if not rows:
                return
            after = rows[-1][0]
            for _, tenant_id, ticket_id, version, written_ms, value in rows:
                yield OutboxEvent(
                    row_id="",
                    tenant_id=tenant_id,
                    ticket_id=ticket_id,
                    version=version,
                    updated_ms=written_ms,
                    value=value,
                )

    def ping(self) -> None:
        """See `TicketStore`."""
        with self._database.reading() as connection:
            connection.execute("SELECT 1 FROM tickets LIMIT 1").fetchone()


class SqliteStores(Struct, frozen=True, eq=False):
    """The two stores of one file."""

    tickets: SqliteTickets
    outbox: SqliteOutbox


def open_sqlite(path: Path, stack: ExitStack) -> SqliteStores:
    """The stores of a file, which is created if it is missing.

    Raises:
        ConfigError: the path can't be written, or the file is another program's or a newer version's.
        UnavailableError: the file is locked or damaged.
    """
    database = open_database(path)
    stack.callback(database.close)
    return SqliteStores(SqliteTickets(database), SqliteOutbox(database))


def _save_ticket(connection: sqlite3.Connection, change: Change) -> None:
    event = change.event
    live = summary_of(event) if isinstance(event, UpsertEvent) else None
    columns = (
        version_of(event),
        change.updated_ms,
        None if live is None else live.created_ms,
        None if live is None else live.status,
        None if live is None else live.customer_id,
        None if live is None else _ENCODER.encode(live),
        change.value,
    )
    if change.replaces == 0:
        done = connection.execute(
            "INSERT INTO tickets (version, updated_ms, created_ms, status, customer_id, summary, value, tenant_id, "
            "ticket_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (*columns, *_ids(change)),
        )
    else:
        done = connection.execute(
            "UPDATE tickets SET version = ?, updated_ms = ?, created_ms = ?, status = ?, customer_id = ?, "
            "summary = ?, value = ? WHERE tenant_id = ? AND ticket_id = ? AND version = ?",
            (*columns, *_ids(change), change.replaces),
        )
    if done.rowcount != 1:
        raise ConflictError(f"the ticket is not at version {change.replaces}")


def _save_response(connection: sqlite3.Connection, key: RequestKey, saved: SavedResponse, *, now_ms: int) -> None:
    _sweep(connection, "requests", now_ms)
    done = connection.execute(
        "INSERT INTO requests (expires_ms, request_hash, status, headers, body, tenant_id, user_id, key) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET expires_ms = excluded.expires_ms, "
        "request_hash = excluded.request_hash, status = excluded.status, headers = excluded.headers, "
        "body = excluded.body WHERE requests.expires_ms <= ?",
        (
            saved.expires_ms,
            saved.request_hash,
            saved.status,
            json.dumps(saved.headers),
            saved.body,
            key.tenant_id,
            key.user_id,
            key.key,
            now_ms,
        ),
    )
    if done.rowcount != 1:
        raise KeyUsedError("the idempotency key has been used")


def _sweep(connection: sqlite3.Connection, table: str, now_ms: int) -> None:
    """Remove some expired rows."""
    connection.execute(
        f"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} WHERE expires_ms <= ? "  # noqa: S608 - constants
        "ORDER BY expires_ms LIMIT ?)",
        (now_ms, _SWEEP),
    )


def _ids(change: Change) -> tuple[str, str]:
    return change.event.tenant_id, change.event.ticket_id
