"""Ticket stores of each kind, and changes to write."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Literal
from uuid import uuid4

import msgspec
from msgspec import Struct

from connectors.dynamodb import Client
from connectors.dynamodb_tables import Tables
from connectors.ticket_store.dynamodb import DynamoTickets
from connectors.ticket_store.dynamodb_outbox import DynamoOutbox
from connectors.ticket_store.sqlite import open_sqlite
from connectors.ticket_store.tables import HINT, definitions
from core.contract import DeleteEvent, UpsertEvent, datetime_from_ms
from core.ticket_store import Change, Outbox, RequestKey, SavedResponse, TicketStore

Kind = Literal["sqlite", "dynamodb"]

#: 2026-01-05T08:00:00Z.
NOW_MS: Final = 1_767_600_000_000


class Stores(Struct, frozen=True, eq=False):
    """The two stores of a kind."""

    tickets: TicketStore
    outbox: Outbox


def create_tables(client: Client, *, sleep: Callable[[float], None] = time.sleep) -> Tables:
    """New tables with a unique prefix."""
    prefix = f"t{uuid4().hex[:8]}-"
    for definition in definitions(prefix):
        client.create_table(**definition)
    return Tables(client, prefix, HINT, sleep)


def dynamo_stores(client: Client) -> Stores:
    """Empty stores in tables of their own."""
    tables = create_tables(client)
    return Stores(DynamoTickets(tables), DynamoOutbox(tables))


def sqlite_stores(folder: Path, stack: ExitStack) -> Stores:
    """Stores in `folder`, empty unless it has been used before."""
    opened = open_sqlite(folder / "tickets.db", stack)
    return Stores(opened.tickets, opened.outbox)


def upsert(
    ticket_id: str = "T-1",
    *,
    version: int = 1,
    tenant_id: str = "acme",
    created_ms: int = NOW_MS,
    request: tuple[RequestKey, SavedResponse] | None = None,
    **fields: object,
) -> Change:
    """A change to `version`, one second after the one before."""
    event = msgspec.convert(
        {
            "op": "upsert",
            "tenant_id": tenant_id,
            "ticket_id": ticket_id,
            "version": version,
            "created_at": datetime_from_ms(created_ms),
            "updated_at": datetime_from_ms(_written_ms(version)),
            **fields,
        },
        UpsertEvent,
    )
    return _change(event, version, request)


def delete(ticket_id: str = "T-1", *, version: int, tenant_id: str = "acme") -> Change:
    """The deletion of the version before `version`."""
    event = DeleteEvent(
        tenant_id=tenant_id,
        ticket_id=ticket_id,
        version=version,
        updated_at=datetime_from_ms(_written_ms(version)),
    )
    return _change(event, version, None)


def saved(body: bytes = b"{}", *, expires_ms: int = NOW_MS + 86_400_000) -> SavedResponse:
    """A response to keep."""
    return SavedResponse(request_hash="ab", status=201, headers={"etag": '"1"'}, body=body, expires_ms=expires_ms)


def _written_ms(version: int) -> int:
    return NOW_MS + version * 1_000


def _change(event: UpsertEvent | DeleteEvent, version: int, request: tuple[RequestKey, SavedResponse] | None) -> Change:
    return Change(
        event=event,
        value=msgspec.json.encode(event),
        replaces=version - 1,
        replaced_ms=_written_ms(version - 1) if version > 1 else 0,
        updated_ms=_written_ms(version),
        request=request,
    )
