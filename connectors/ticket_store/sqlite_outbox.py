"""The outbox in the SQLite file of tickets: rows that are written in the transaction of their ticket."""

from collections.abc import Iterator, Sequence
from typing import Final

from connectors.ticket_store.database import Database
from core.ticket_store import OutboxEvent, OutboxSize
from delivery.lease import MAX_AHEAD_MS

#: Maximum bytes of a page, without its last event.
_PAGE_BYTES: Final = 4 * 1024 * 1024
_LEASE: Final = "relay"


class SqliteOutbox:
    """Implements `core.ticket_store.Outbox`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def pages(self, size: int) -> Iterator[Sequence[OutboxEvent]]:
        """See `Outbox`. Transactions that write are serial, so the order of rows is that of versions."""
        after = 0
        while page := self._page(after, size):
            yield page
            after = int(page[-1].row_id)

    def _page(self, after: int, size: int) -> list[OutboxEvent]:
        page: list[OutboxEvent] = []
        left = _PAGE_BYTES
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT row_id, tenant_id, ticket_id, version, updated_ms, value FROM outbox "
                "WHERE row_id > ? ORDER BY row_id LIMIT ?",
                (after, size),
            )
            for row_id, tenant_id, ticket_id, version, updated_ms, value in rows:
                page.append(
                    OutboxEvent(
                        row_id=str(row_id),
                        tenant_id=tenant_id,
                        ticket_id=ticket_id,
                        version=version,
                        updated_ms=updated_ms,
                        value=value,
                    )
                )
                left -= len(value)
                if left <= 0:
                    break
            rows.close()
        return page

    def remove(self, events: Sequence[OutboxEvent]) -> None:
        """See `Outbox`."""
        with self._database.writing() as connection:
            connection.executemany("DELETE FROM outbox WHERE row_id = ?", [(int(event.row_id),) for event in events])

    def size(self) -> OutboxSize:
        """See `Outbox`."""
        with self._database.reading() as connection:
            count = connection.execute("SELECT count(*) FROM outbox").fetchone()[0]
            oldest = connection.execute("SELECT updated_ms FROM outbox ORDER BY row_id LIMIT 1").fetchone()
        return OutboxSize(count, None if oldest is None else oldest[0])

    def lease(self, owner: str, *, now_ms: int, until_ms: int) -> bool:
        """See `Outbox`."""
        with self._database.writing() as connection:
            return (
                connection.execute(
                    "INSERT INTO leases (name, owner, until_ms) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE "
                    "SET owner = excluded.owner, until_ms = excluded.until_ms WHERE owner = excluded.owner "
                    "OR until_ms <= ? OR until_ms > ?",
                    (_LEASE, owner, until_ms, now_ms, until_ms + MAX_AHEAD_MS),
                ).rowcount
                == 1
            )

    def release(self, owner: str) -> None:
        """See `Outbox`."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM leases WHERE name = ? AND owner = ?", (_LEASE, owner))
