"""Tickets to rows of the index: ids that never change between runs, and the payload that searches filter by."""

from collections.abc import Sequence
from typing import Final, cast

import msgspec

from core.contract import CONTRACT_VERSION, UpsertEvent, milliseconds
from core.identity import point_id
from core.payload import Payload
from core.records import EmbeddedTicket, Label, Passage, Point, Rejected, TicketPoints
from operators.outcome import DEFAULT_STATUSES, Outcome, SolvedStatuses, outcome_of

Attributes = dict[str, str | int | float | bool | None]

#: Maximum characters of the subject and bytes of the attributes in a point, because every point of a ticket repeats
#: them. The whole subject is in the passages.
_SUBJECT_CHARACTERS: Final = 1_000
_ATTRIBUTE_BYTES: Final = 8_192


def to_points(
    items: Sequence[EmbeddedTicket], *, solved: SolvedStatuses = DEFAULT_STATUSES
) -> list[TicketPoints | Rejected]:
    """One point per passage, in order: chunk 0 is the head. `solved` are the statuses of solved tickets."""
    return [_points(item, solved) for item in items]


def _points(item: EmbeddedTicket, solved: SolvedStatuses) -> TicketPoints:
    ticket = item.enriched.ticket
    broker_ms = ticket.raw.timestamp_ms
    if ticket.content is None:
        return TicketPoints(
            ticket.tenant_id, ticket.ticket_id, ticket.version, (), broker_ms=broker_ms, record=ticket.record
        )
    attributes = _that_fit(ticket.content.attributes)
    passages = item.enriched.passages
    outcome = outcome_of(ticket.tenant_id, ticket.content, passages, solved)
    shared = _shared(item, ticket.content, attributes)
    if outcome is not None:
        shared |= {"solved": "yes", "solved_at": outcome.solved_at}
    head = shared["head"]
    points = tuple(
        Point(
            id=point_id(ticket.tenant_id, ticket.ticket_id, chunk) if chunk else head,
            vector=vector,
            payload={
                **shared,
                "chunk": chunk,
                "chunks": len(passages),
                **_own(passage, outcome),
            },
        )
        for chunk, (passage, vector) in enumerate(zip(passages, item.vectors, strict=True))
    )
    event_ms = milliseconds(ticket.content.updated_at)
    left_out = len(ticket.content.attributes) - len(attributes)
    return TicketPoints(
        ticket.tenant_id, ticket.ticket_id, ticket.version, points, event_ms, broker_ms, ticket.record, left_out
    )


def _own(passage: Passage, outcome: Outcome | None) -> Payload:
    """The payload of one passage."""
    payload: Payload = {
        "text": passage.text,
        "role": passage.role,
        "visibility": "public" if passage.public else "internal",
        "message": passage.message,
    }
    if passage.at is not None:
        payload["message_at"] = passage.at
    if passage.span is not None:
        payload["start"], payload["end"] = passage.span
    if outcome is not None and outcome.message is not None and outcome.message == passage.message:
        payload["resolution"] = True
    return payload


def _that_fit(attributes: Attributes) -> Attributes:
    """The first of the attributes that fit into a point."""
    room = _ATTRIBUTE_BYTES
    if not attributes or len(msgspec.json.encode(attributes)) <= room:
        return attributes
    kept: Attributes = {}
    for name, value in attributes.items():
        room -= len(msgspec.json.encode({name: value}))
        if room < 0:
            break
        kept[name] = value
    return kept


def _shared(item: EmbeddedTicket, content: UpsertEvent, attributes: Attributes) -> Payload:
    """The payload that all points of a ticket share; absent fields are left out."""
    ticket = item.enriched.ticket
    origin = ticket.raw.origin
    payload: Payload = {
        "tenant_id": ticket.tenant_id,
        "ticket_id": ticket.ticket_id,
        "head": point_id(ticket.tenant_id, ticket.ticket_id, 0),
        "version": ticket.version,
        "state": "live",
        "model": item.model,
        "contract": CONTRACT_VERSION,
        "origin": f"{origin.topic}/{origin.partition}/{origin.offset}",
        "subject": content.subject[:_SUBJECT_CHARACTERS],
        "status": content.status,
        "channel": content.channel,
        "tags": list(content.tags),
        "created_at": milliseconds(content.created_at),
        "updated_at": milliseconds(content.updated_at),
    }
    if item.enriched.messages is not None:
        payload["messages"] = item.enriched.messages
    for name, given, found in (
        ("category", content.category, item.category),
        ("priority", content.priority, item.priority),
        ("language", None, item.enriched.language),
    ):
        payload |= _label(name, given, found)
    if item.label_model is not None:
        payload["label_model"] = item.label_model
    if content.customer_id is not None:
        payload["customer_id"] = content.customer_id
    if item.enriched.customer:
        payload["customer"] = dict(item.enriched.customer)
    if attributes:
        payload["attributes"] = dict(attributes)
    return payload


def _label(name: str, given: str | None, found: Label | None) -> Payload:
    """The producer's own label, or else the chosen one with its confidence."""
    if given is not None:
        return cast("Payload", {name: given})
    if found is None:
        return {}
    return cast("Payload", {name: found.value, f"{name}_confidence": round(found.confidence, 4)})
