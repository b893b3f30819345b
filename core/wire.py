"""The topics between the stages, format version 1: `tickets.enriched` and `tickets.embedded`. See docs/roles.md.

A value is one MessagePack map, a key what it was in the raw topic. The `content-type` header names kind and version.
Nothing here holds text that was not cleaned and redacted.
"""

from collections.abc import Mapping, Sequence
from typing import Final, cast

import msgspec
import numpy as np
from msgspec import Struct

from core.contract import Role, UpsertEvent, milliseconds
from core.identity import point_id
from core.records import (
    EnrichedTicket,
    Headers,
    Label,
    Origin,
    Passage,
    Payload,
    PayloadValue,
    Point,
    RawPosition,
    Record,
    Ticket,
    TicketPoints,
    Vector,
)

FORMAT_VERSION: Final = 1
CONTENT_TYPE: Final = "content-type"
MODEL: Final = "ticketstream-model"
#: When the raw topic had the event, in milliseconds since the epoch.
FIRST_SEEN: Final = "ticketstream-first-seen-ms"
#: W3C Trace Context. `baggage` is left behind: producers put into it what they like.
_TRACE: Final = frozenset({"traceparent", "tracestate"})

#: float32 with the least significant byte first, whatever the machine.
_FLOAT: Final = np.dtype("<f4")


class WirePassage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A passage; what is embedded is `before`, a line break and `text`, or `text` alone."""

    text: str
    before: str = ""
    role: Role = "customer"
    public: bool = True
    message: int = -1


class WireContent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the index shows of a ticket beside its passages. Times are milliseconds since the epoch."""

    created_at: int
    updated_at: int
    subject: str = ""
    channel: str = "other"
    status: str = "open"
    priority: str | None = None
    category: str | None = None
    customer_id: str | None = None
    tags: tuple[str, ...] = ()
    attributes: dict[str, str | int | float | bool | None] = msgspec.field(default_factory=dict)


class Enriched(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A value of `tickets.enriched`. Without `content` the ticket is deleted.

    Attributes:
        origin: topic, partition and offset of the event in the raw topic.
        broker_ms: when the raw topic had it.
    """

    tenant_id: str
    ticket_id: str
    version: int
    origin: tuple[str, int, int]
    broker_ms: int
    content: WireContent | None = None
    language: Label | None = None
    customer: dict[str, str] | None = None
    passages: tuple[WirePassage, ...] = ()


class WirePoint(Struct, frozen=True, kw_only=True):
    """A point: its vector as packed little-endian float32, and what its payload has of its own."""

    vector: bytes
    payload: dict[str, PayloadValue]


class Embedded(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A value of `tickets.embedded`: all that the index holds of a version. Without points the ticket is deleted.

    Attributes:
        shared: what the payloads of all its points have in common.
        points: in the order of their chunks.
    """

    tenant_id: str
    ticket_id: str
    version: int
    event_ms: int | None = None
    broker_ms: int | None = None
    shared: dict[str, PayloadValue] = msgspec.field(default_factory=dict)
    points: tuple[WirePoint, ...] = ()


class Message(Struct, frozen=True):
    """A record to be: its value, and its headers."""

    value: bytes
    headers: Headers


_ENCODER: Final = msgspec.msgpack.Encoder()
_ENRICHED: Final = msgspec.msgpack.Decoder(Enriched)
_EMBEDDED: Final = msgspec.msgpack.Decoder(Embedded)

_KINDS: Final = {"enriched": Enriched, "embedded": Embedded}


def content_type(kind: str) -> bytes:
    """The `content-type` header's value for `enriched` or `embedded`."""
    return f"application/vnd.ticketstream.{kind}.v{FORMAT_VERSION}+msgpack".encode()


def enriched_message(item: EnrichedTicket) -> Message:
    """A ticket as `tickets.enriched` has it."""
    ticket, raw = item.ticket, item.ticket.raw
    value = Enriched(
        tenant_id=ticket.tenant_id,
        ticket_id=ticket.ticket_id,
        version=ticket.version,
        origin=(raw.origin.topic, raw.origin.partition, raw.origin.offset),
        broker_ms=raw.timestamp_ms,
        content=None if ticket.content is None else _to_wire(ticket.content),
        language=item.language,
        customer=None if item.customer is None else dict(item.customer),
        passages=tuple(_wire_passage(passage) for passage in item.passages),
    )
    return Message(_ENCODER.encode(value), _headers("enriched", ticket.record, raw.timestamp_ms))


def read_enriched(record: Record) -> EnrichedTicket:
    """The ticket in `record`.

    Raises:
        ValueError: its value is not of this kind.
    """
    found = _ENRICHED.decode(record.value or b"")
    topic, partition, offset = found.origin
    ticket = Ticket(
        record,
        found.tenant_id,
        found.ticket_id,
        found.version,
        None if found.content is None else _from_wire(found),
        RawPosition(Origin(topic, partition, offset), found.broker_ms),
    )
    passages = tuple(_passage(passage) for passage in found.passages)
    return EnrichedTicket(ticket, found.language, found.customer, passages)


def embedded_message(item: TicketPoints, *, model: str) -> Message:
    """A ticket as `tickets.embedded` has it. `model` is the stamp of what made the vectors."""
    shared = _shared(item.points)
    value = Embedded(
        tenant_id=item.tenant_id,
        ticket_id=item.ticket_id,
        version=item.version,
        event_ms=item.event_ms,
        broker_ms=item.broker_ms,
        shared=shared,
        points=tuple(_wire_point(point, shared) for point in item.points),
    )
    return Message(
        _ENCODER.encode(value), (*_headers("embedded", item.record, item.broker_ms), (MODEL, model.encode()))
    )


def read_embedded(record: Record) -> TicketPoints:
    """The points in `record`.

    Raises:
        ValueError: its value is not of this kind.
    """
    found = _EMBEDDED.decode(record.value or b"")
    points = tuple(
        Point(
            point_id(found.tenant_id, found.ticket_id, chunk),
            _vector(point.vector),
            cast("Payload", found.shared | point.payload),
        )
        for chunk, point in enumerate(found.points)
    )
    return TicketPoints(
        found.tenant_id, found.ticket_id, found.version, points, found.event_ms, found.broker_ms, record
    )


def json_schema(kind: str) -> dict[str, object]:
    """JSON Schema (draft 2020-12) of a value; MessagePack's binary type stands there as a base64 string."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"tickets.{kind}, format version {FORMAT_VERSION}",
        **msgspec.json.schema(_KINDS[kind]),
    }


def _headers(kind: str, record: Record | None, first_seen_ms: int | None) -> Headers:
    trace = () if record is None else tuple(pair for pair in record.headers if pair[0] in _TRACE)
    seen = () if first_seen_ms is None else ((FIRST_SEEN, str(first_seen_ms).encode()),)
    return ((CONTENT_TYPE, content_type(kind)), *seen, *trace)


def _to_wire(content: UpsertEvent) -> WireContent:
    return WireContent(
        created_at=milliseconds(content.created_at),
        updated_at=milliseconds(content.updated_at),
        subject=content.subject,
        channel=content.channel,
        status=content.status,
        priority=content.priority,
        category=content.category,
        customer_id=content.customer_id,
        tags=content.tags,
        attributes=content.attributes,
    )


def _from_wire(found: Enriched) -> UpsertEvent:
    content = found.content
    assert content is not None  # noqa: S101 - for mypy: asked for upserts only
    return UpsertEvent(
        tenant_id=found.tenant_id,
        ticket_id=found.ticket_id,
        version=found.version,
        **{name: getattr(content, name) for name in content.__struct_fields__},
    )


def _wire_passage(passage: Passage) -> WirePassage:
    ending = f"\n{passage.text}"
    before = passage.embed_text.removesuffix(ending) if passage.embed_text.endswith(ending) else ""
    return WirePassage(
        text=passage.text, before=before, role=passage.role, public=passage.public, message=passage.message
    )


def _passage(found: WirePassage) -> Passage:
    whole = f"{found.before}\n{found.text}" if found.before else found.text
    return Passage(found.text, whole, found.role, found.public, found.message)


def _shared(points: Sequence[Point]) -> dict[str, PayloadValue]:
    """The fields that all payloads have in common, with equal values."""
    if not points:
        return {}
    first, *others = [_fields(point) for point in points]
    return {
        name: value
        for name, value in first.items()
        if all(name in other and _same(other[name], value) for other in others)
    }


def _same(one: object, other: object) -> bool:
    """Equal, and of one type: 1 is not True."""
    return one is other or (type(one) is type(other) and one == other)


def _wire_point(point: Point, shared: Mapping[str, PayloadValue]) -> WirePoint:
    assert point.vector is not None  # noqa: S101 - only a tombstone has none, and the index makes those
    own = {name: value for name, value in _fields(point).items() if name not in shared}
    return WirePoint(vector=np.ascontiguousarray(point.vector, _FLOAT).tobytes(), payload=own)


def _fields(point: Point) -> Mapping[str, PayloadValue]:
    return cast("Mapping[str, PayloadValue]", point.payload)


def _vector(packed: bytes) -> Vector:
    """float32[len(packed) / 4].

    Raises:
        ValueError: it is no whole number of float32.
    """
    return np.frombuffer(packed, _FLOAT).astype(np.float32, copy=False)
