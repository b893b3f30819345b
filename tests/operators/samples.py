"""Tickets for the tests of operators."""

from typing import Any

import msgspec
from hypothesis import strategies as st

from core.contract import Message, UpsertEvent, record_key
from core.records import EnrichedTicket, Origin, Record, Ticket


def event(**changes: Any) -> dict[str, Any]:
    """A valid upsert as decoded JSON; UNSET leaves a field out."""
    whole = {
        "op": "upsert",
        "tenant_id": "acme",
        "ticket_id": "1",
        "version": 3,
        "subject": "Card lost",
        "body": "I lost my card in Lyon.",
        "created_at": 1_700_000_000_000,
        "updated_at": "2026-01-05T08:00:00Z",
    }
    return {name: value for name, value in {**whole, **changes}.items() if value is not msgspec.UNSET}


def raw(value: bytes | None, *, key: bytes | None = b"acme/1", **headers: bytes) -> Record:
    """A record with this value."""
    return Record(Origin("tickets.raw", 0, 7), key, value, 1_700_000_123_456, tuple(headers.items()))


def ticket(*, deleted: bool = False, **content: Any) -> Ticket:
    """A decoded ticket."""
    fields = {"tenant_id": "acme", "ticket_id": "1", "created_at": 0, "updated_at": 5_000, **content}
    made = None if deleted else UpsertEvent(**fields)
    return Ticket(raw(b""), "acme", "1", 3, made)


def enriched(**content: Any) -> EnrichedTicket:
    """An enriched ticket."""
    return EnrichedTicket(ticket(**content))


def message(body: str, *, author: Any = "agent", public: bool = True) -> Message:
    """One message."""
    return Message(author=author, body=body, created_at=0, public=public)


texts = st.text(max_size=120) | st.sampled_from(
    ["", "<p>Hi <b>there</b></p>", "On Monday, Ada wrote:\n> old", "ada@example.com", "word " * 60, "\u200b", "é" * 40]
)
messages = st.builds(
    Message,
    author=st.sampled_from(["customer", "agent", "system"]),
    body=texts,
    created_at=st.just(0),
    public=st.booleans(),
)
contents = st.builds(
    UpsertEvent,
    tenant_id=st.just("acme"),
    ticket_id=st.just("1"),
    created_at=st.just(0),
    updated_at=st.just(5_000),
    subject=texts,
    body=texts,
    customer_id=st.none() | st.just("C-1"),
    tags=st.lists(st.text(min_size=1, max_size=10), max_size=3).map(tuple),
    messages=st.lists(messages, max_size=4).map(tuple),
    attributes=st.dictionaries(st.text(max_size=8), texts | st.integers(0, 10**18) | st.booleans(), max_size=3),
)
tickets = st.builds(
    Ticket,
    record=st.just(raw(b"")),
    tenant_id=st.just("acme"),
    ticket_id=st.just("1"),
    version=st.integers(0, 9),
    content=st.none() | contents,
)
keys = st.sampled_from([record_key("acme", "1"), b"acme/1", b"", None, b"\xff", b"a/b/c", b"nothing"])
records = st.builds(
    Record,
    origin=st.just(Origin("tickets.raw", 0, 0)),
    key=keys,
    value=st.none() | st.binary(max_size=60) | st.just(msgspec.json.encode(event())),
    timestamp_ms=st.integers(0, 10**13),
)
