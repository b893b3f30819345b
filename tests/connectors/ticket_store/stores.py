"""Stores of each kind, and changes to write to them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, Literal

import boto3
import msgspec
from moto import mock_aws
from msgspec import Struct

from connectors.ticket_store.dynamodb import open_dynamodb
from connectors.ticket_store.sqlite import open_sqlite
from connectors.ticket_store.tables import definitions
from core.contract import DeleteEvent, UpsertEvent, datetime_from_ms
from core.ticket_store import Change, Outbox, RequestKey, SavedResponse, SessionStore, TicketStore

Kind = Literal["sqlite", "dynamodb"]

PREFIX: Final = "test-"
REGION: Final = "eu-central-1"
#: 2026-01-05T08:00:00Z.
NOW_MS: Final = 1_767_600_000_000


class Stores(Struct, frozen=True, eq=False):
    """The three stores of a kind."""

    tickets: TicketStore
    outbox: Outbox
    sessions: SessionStore


@contextmanager
def dynamodb_tables() -> Iterator[None]:
    """A DynamoDB in this process, with the tables."""
    with mock_aws():
        client = boto3.client("dynamodb", region_name=REGION)
        for definition in definitions(PREFIX):
            client.create_table(**definition)
        yield


def open_stores(kind: Kind, folder: Path, stack: ExitStack) -> Stores:
    """Empty stores, or those that were opened in this folder before."""
    if kind == "sqlite":
        opened = open_sqlite(folder / "tickets.db", stack)
        return Stores(opened.tickets, opened.outbox, opened.sessions)
    found = open_dynamodb(prefix=PREFIX, region=REGION)
    return Stores(found.tickets, found.outbox, found.sessions)


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
