"""Encodes and decodes the values of `tickets.enriched`."""

from typing import Final

import msgspec
from msgspec import Struct

from core.contract import Role, UpsertEvent, milliseconds
from core.records import EnrichedTicket, Label, Origin, Passage, RawPosition, Record, Ticket
from core.wire.format import OutgoingRecord, decode_value, headers_of, schema_of


class WirePassage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A passage. The embedded text is the heading (`before` in the map), a line break and `text`, or `text` alone."""

    text: str
    heading: str = msgspec.field(default="", name="before")
    role: Role = "customer"
    public: bool = True
    message: int = -1
    at: int | None = None
    span: tuple[int, int] | None = None


class WireContent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The ticket's facts in the index, apart from its passages. Times are milliseconds since the epoch."""

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
    """The value of a record: one enriched ticket. Without `content` the ticket is deleted.

    Attributes:
        origin: topic, partition and offset of the event in the raw topic.
        broker_ms: timestamp of its record there.
        messages: number of the thread's messages; None in records of earlier versions.
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
    messages: int | None = None


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Enriched)


def encode_enriched(item: EnrichedTicket) -> OutgoingRecord:
    """The record of an enriched ticket."""
    ticket, raw = item.ticket, item.ticket.raw
    value = Enriched(
        tenant_id=ticket.tenant_id,
        ticket_id=ticket.ticket_id,
        version=ticket.version,
        origin=(raw.origin.topic, raw.origin.partition, raw.origin.offset),
        broker_ms=raw.timestamp_ms,
        content=None if ticket.content is None else _wire_content(ticket.content),
        language=item.language,
        customer=None if item.customer is None else dict(item.customer),
        passages=tuple(_wire_passage(passage) for passage in item.passages),
        messages=item.messages,
    )
    return OutgoingRecord(_ENCODER.encode(value), headers_of("enriched", ticket.record, raw.timestamp_ms))


def decode_enriched(record: Record) -> EnrichedTicket:
    """The ticket in `record`.

    Raises:
        ValueError: its value is malformed.
    """
    found = decode_value(record, _DECODER)
    topic, partition, offset = found.origin
    ticket = Ticket(
        record,
        found.tenant_id,
        found.ticket_id,
        found.version,
        None if found.content is None else _content(found, found.content),
        RawPosition(Origin(topic, partition, offset), found.broker_ms),
    )
    passages = tuple(_passage(passage) for passage in found.passages)
    return EnrichedTicket(ticket, found.language, found.customer, passages, messages=found.messages)


def enriched_schema() -> dict[str, object]:
    """JSON Schema of a value."""
    return schema_of("enriched", Enriched)


def _wire_content(content: UpsertEvent) -> WireContent:
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


def _content(found: Enriched, content: WireContent) -> UpsertEvent:
    return UpsertEvent(
        tenant_id=found.tenant_id,
        ticket_id=found.ticket_id,
        version=found.version,
        **{name: getattr(content, name) for name in content.__struct_fields__},
    )


def _wire_passage(passage: Passage) -> WirePassage:
    ending = f"\n{passage.text}"
    heading = passage.embed_text.removesuffix(ending) if passage.embed_text.endswith(ending) else ""
    return WirePassage(
        text=passage.text,
        heading=heading,
        role=passage.role,
        public=passage.public,
        message=passage.message,
        at=passage.at,
        span=passage.span,
    )


def _passage(found: WirePassage) -> Passage:
    embed_text = f"{found.heading}\n{found.text}" if found.heading else found.text
    return Passage(found.text, embed_text, found.role, found.public, found.message, found.at, found.span)
