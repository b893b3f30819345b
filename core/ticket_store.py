"""The ticket API's store: its records, Protocols and errors.

Every change of a ticket is written together with an outbox event, which holds the ticket event of that version. A relay
(`delivery.relay`) sends the outbox to Kafka, so that the topic gets every version in the table.
"""

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from core.contract import TicketEvent, UpsertEvent, milliseconds
from core.errors import TicketstreamError

#: Characters of the subject in a summary.
SUBJECT_CHARACTERS: Final = 256

_EVENTS: Final = msgspec.json.Decoder(TicketEvent)


class ConflictError(TicketstreamError):
    """The ticket is not at the version that the change replaces."""


class KeyUsedError(TicketstreamError):
    """A request with this idempotency key has been done already."""


class StoreLimitError(TicketstreamError):
    """The ticket is larger than the store can keep. The message says how large it may be."""


class RequestKey(Struct, frozen=True):
    """An idempotency key. Keys of different users are independent."""

    tenant_id: str
    user_id: str
    key: str


class SavedResponse(Struct, frozen=True, kw_only=True):
    """The saved response to a request with an idempotency key, for its repetitions.

    Attributes:
        request_hash: SHA-256 of the request in hexadecimal; tells whether a later request is the same.
        expires_ms: from then on the key is free.
    """

    request_hash: str
    status: int
    headers: dict[str, str]
    body: bytes
    expires_ms: int


class Change(Struct, frozen=True, kw_only=True):
    """A new version of a ticket.

    Attributes:
        event: the ticket after the change, or its deletion; its version is `replaces + 1`.
        value: `event` encoded, as the topic gets it.
        replaces: version that the change replaces; 0 if the ticket is new.
        replaced_ms: when that version was written, in ms since the epoch; 0 if the ticket is new.
        updated_ms: when this version was written; above `replaced_ms`, so that time orders versions, too.
        request: the idempotency key of the request and its response, written with the change.
        traceparent: W3C's header that continues the request's trace; empty if that isn't sampled.
    """

    event: TicketEvent
    value: bytes
    replaces: int
    replaced_ms: int
    updated_ms: int
    request: tuple[RequestKey, SavedResponse] | None = None
    traceparent: str = ""


class TicketSummary(Struct, frozen=True, kw_only=True):
    """A ticket as a list shows it. `subject` has at most `SUBJECT_CHARACTERS`; times are ms since the epoch."""

    ticket_id: str
    version: int
    created_ms: int
    updated_ms: int
    subject: str
    status: str
    channel: str
    priority: str | None
    category: str | None
    customer_id: str | None
    messages: int


class Cursor(Struct, frozen=True):
    """A position in a list: after the ticket with this creation time and id."""

    created_ms: int
    ticket_id: str


class TicketQuery(Struct, frozen=True, kw_only=True):
    """Tickets of one tenant, newest first; `status` and `customer_id` narrow them down."""

    tenant_id: str
    limit: int
    status: str | None = None
    customer_id: str | None = None
    after: Cursor | None = None


class Page(Struct, frozen=True):
    """A part of a list, and where the next part begins (None at the end)."""

    tickets: Sequence[TicketSummary]
    next: Cursor | None


class OutboxEvent(Struct, frozen=True, kw_only=True):
    """A version of a ticket that may not have reached the topic yet.

    Attributes:
        row_id: identifies it in its outbox; empty elsewhere.
        traceparent: as in `Change`; SQLite doesn't keep it.
    """

    row_id: str
    tenant_id: str
    ticket_id: str
    version: int
    updated_ms: int
    value: bytes
    traceparent: str = ""


class OutboxSize(Struct, frozen=True):
    """Number of events in an outbox, and when the oldest was written, in ms since the epoch (None: it is empty)."""

    events: int
    oldest_ms: int | None


class Outbox(Protocol):
    """The events that a relay has to send. Every method may be called from several threads and processes.

    Every method raises `TransientError` if the store is unavailable.
    """

    def pages(self, size: int) -> Iterator[Sequence[OutboxEvent]]:
        """All events, `size` at a time. Versions of a ticket are in order, and none is left out before another."""
        ...

    def remove(self, events: Sequence[OutboxEvent]) -> None:
        """Remove events that the broker has acknowledged. Idempotent."""
        ...

    def size(self) -> OutboxSize: ...

    def lease(self, owner: str, *, now_ms: int, until_ms: int) -> bool:
        """Take or extend the lease of the relay. False while another owner has it."""
        ...

    def release(self, owner: str) -> None:
        """Release the lease, if `owner` has it."""
        ...


class TicketStore(Protocol):
    """Tickets with a version each. Every method may be called from several threads.

    Every method raises `TransientError` if the store is unavailable.
    """

    def get(self, tenant_id: str, ticket_id: str) -> TicketEvent | None:
        """The ticket's current version, or its deletion. None if there has never been such a ticket."""
        ...

    def find(self, query: TicketQuery) -> Page:
        """Tickets that are not deleted. A page may have fewer than `query.limit` although more follow."""
        ...

    def apply(self, change: Change) -> None:
        """Write a change, its outbox event and its response, all or none; durable on return.

        Raises:
            ConflictError: the ticket is at another version than the one that the change replaces.
            KeyUsedError: the idempotency key has been used.
            StoreLimitError: the ticket is too large for the store.
        """
        ...

    def response(self, key: RequestKey, *, now_ms: int) -> SavedResponse | None:
        """The response to the request with this key, unless it has expired."""
        ...

    def changed_since(self, updated_ms: int) -> Iterator[OutboxEvent]:
        """The current version of each ticket, or its deletion, that was written at this time or later.

        In any order, and without a `row_id`. A change during the iteration may be left out.
        """
        ...

    def ping(self) -> None:
        """Return if the store can be read."""
        ...


def decode_value(value: bytes) -> TicketEvent:
    """The event of a `Change.value`."""
    event: TicketEvent = _EVENTS.decode(value)
    return event


def version_of(event: TicketEvent) -> int:
    """The version of an event that came from a store; these always have one."""
    assert event.version is not None  # noqa: S101 - `Change` says so
    return event.version


def updated_ms_of(event: TicketEvent) -> int:
    """When the version of an event that came from a store was written, in ms since the epoch."""
    assert event.updated_at is not None  # noqa: S101 - likewise
    return milliseconds(event.updated_at)


def summary_of(event: UpsertEvent) -> TicketSummary:
    """A ticket as a list shows it."""
    return TicketSummary(
        ticket_id=event.ticket_id,
        version=version_of(event),
        created_ms=milliseconds(event.created_at),
        updated_ms=milliseconds(event.updated_at),
        subject=event.subject[:SUBJECT_CHARACTERS],
        status=event.status,
        channel=event.channel,
        priority=event.priority,
        category=event.category,
        customer_id=event.customer_id,
        messages=len(event.messages),
    )
