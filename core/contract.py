"""The ticket event, contract version 1: what a producer writes to `tickets.raw`. See docs/contract.md.

A record's key is `tenant_id/ticket_id` in UTF-8, so that every event of a ticket lands in one partition. Its
value is one JSON object: an `UpsertEvent` or a `DeleteEvent`, told apart by `op`. A null value is also a delete.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

CONTRACT_VERSION: Final = 1

#: The index compares versions as 64-bit floats, so they stay below 2^53 (IEEE 754 binary64 significand).
#: FINAL_VERSION is reserved for deletes by null value, which have no version of their own and outrank every event.
MAX_VERSION: Final = 2**53 - 2
FINAL_VERSION: Final = 2**53 - 1

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_MS: Final = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z

#: Python's `$` also matches before a last line break; JSON Schema's (ECMA-262) doesn't. This one is the same in both.
_END: Final = r"$(?!\n)"

TenantId = Annotated[
    str,
    Meta(pattern=rf"^[A-Za-z0-9][A-Za-z0-9._-]{{0,63}}{_END}", description="Letters, digits, dot, underscore, hyphen."),
]
TicketId = Annotated[
    str, Meta(pattern=rf"^[^\x00-\x1f\x7f]{{1,128}}{_END}", description="1 to 128 characters, no control characters.")
]
Version = Annotated[int, Meta(ge=0, le=MAX_VERSION, description="Grows with every change of the ticket.")]
Timestamp = Annotated[
    Annotated[datetime, Meta(tz=True)] | Annotated[int, Meta(ge=0, le=_MAX_MS)],
    Meta(description="RFC 3339 with an offset, or milliseconds since 1970-01-01T00:00:00Z."),
]
Keyword = Annotated[str, Meta(min_length=1, max_length=64)]
Role = Literal["customer", "agent", "system"]

#: The index can't store larger numbers.
Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
AttributeValue = str | Int64 | float | bool | None


class Message(Struct, frozen=True, kw_only=True):
    """One message of the ticket's thread."""

    author: Role
    body: str
    created_at: Timestamp
    public: Annotated[bool, Meta(description="False for an internal note.")] = True


class UpsertEvent(Struct, frozen=True, kw_only=True, tag_field="op", tag="upsert"):
    """The whole ticket after a change."""

    tenant_id: TenantId
    ticket_id: TicketId
    created_at: Timestamp
    updated_at: Timestamp
    schema_version: int = CONTRACT_VERSION
    version: Version | None = None
    subject: str = ""
    body: Annotated[str, Meta(description="Plain text or HTML.")] = ""
    channel: Keyword = "other"
    status: Keyword = "open"
    priority: Keyword | None = None
    category: Keyword | None = None
    customer_id: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    tags: tuple[Keyword, ...] = ()
    messages: tuple[Message, ...] = ()
    attributes: dict[str, AttributeValue] = msgspec.field(default_factory=dict)


class DeleteEvent(Struct, frozen=True, kw_only=True, tag_field="op", tag="delete"):
    """The ticket is deleted. A later upsert with a lower version does not restore it."""

    tenant_id: TenantId
    ticket_id: TicketId
    schema_version: int = CONTRACT_VERSION
    version: Version | None = None
    updated_at: Timestamp | None = None


TicketEvent = UpsertEvent | DeleteEvent


def milliseconds(timestamp: datetime | int) -> int:
    """A timestamp, in either of its forms, as milliseconds since the epoch."""
    if isinstance(timestamp, int):
        return timestamp
    return (timestamp - _EPOCH) // timedelta(
        milliseconds=1
    )  # integer division: floats are off by one for 1 in 100 timestamps


def datetime_from_ms(ms: int) -> datetime:
    """The UTC datetime of `ms` milliseconds since the epoch."""
    return _EPOCH + timedelta(milliseconds=ms)


def record_key(tenant_id: str, ticket_id: str) -> bytes:
    """The key of every record of a ticket. A tenant's id contains no slash, so the first slash is the separator."""
    return f"{tenant_id}/{ticket_id}".encode()


def json_schema() -> dict[str, object]:
    """JSON Schema (draft 2020-12) of a record's value, generated from the types above."""
    schema = msgspec.json.schema(TicketEvent)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Ticket event, contract version {CONTRACT_VERSION}",
        **schema,
    }
