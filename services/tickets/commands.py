"""Pure functions that make the next version of a ticket for a request; time and id are passed in."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from core.contract import DeleteEvent, Message, Role, TicketEvent, UpsertEvent, datetime_from_ms
from core.settings import ContractSettings
from core.ticket_store import version_of
from services.http.problems import FieldError, Problem, invalid
from services.tickets.bodies import NewComment, NewTicket, TicketPatch

_ENCODER: Final = msgspec.json.Encoder()


def created(body: NewTicket, *, tenant_id: str, ticket_id: str, now_ms: int) -> UpsertEvent:
    """Version 1 of a ticket."""
    now = datetime_from_ms(now_ms)
    fields: dict[str, Any] = body.model_dump(exclude={"ticket_id", "tags"})
    return UpsertEvent(
        tenant_id=tenant_id,
        ticket_id=ticket_id,
        version=1,
        created_at=now,
        updated_at=now,
        tags=tuple(body.tags),
        **fields,
    )


def updated(ticket: UpsertEvent, patch: TicketPatch, *, now_ms: int) -> UpsertEvent:
    """The ticket with the fields that `patch` gives.

    Raises:
        Problem: it has no fields.
    """
    fields = patch.given()
    if not fields:
        raise invalid("body", "Give at least one field to change.")
    if "tags" in fields:
        fields["tags"] = tuple(fields["tags"])
    return _next(ticket, now_ms, **fields)


def commented(ticket: UpsertEvent, comment: NewComment, *, author: Role, now_ms: int) -> UpsertEvent:
    """The ticket with another message at the end of its thread."""
    message = Message(author=author, body=comment.body, created_at=datetime_from_ms(now_ms), public=comment.public)
    return _next(ticket, now_ms, messages=(*ticket.messages, message))


def closed(ticket: UpsertEvent, *, status: str, resolution: str | None, now_ms: int) -> UpsertEvent:
    """The ticket with the closed status, and with the resolution, if any, as its last message."""
    messages = ticket.messages
    if resolution is not None:
        messages = (*messages, Message(author="agent", body=resolution, created_at=datetime_from_ms(now_ms)))
    return _next(ticket, now_ms, status=status, messages=messages)


def deleted(ticket: UpsertEvent, *, now_ms: int) -> DeleteEvent:
    """The deletion of the ticket."""
    return DeleteEvent(
        tenant_id=ticket.tenant_id,
        ticket_id=ticket.ticket_id,
        version=version_of(ticket) + 1,
        updated_at=datetime_from_ms(now_ms),
    )


def encoded(event: TicketEvent, limits: ContractSettings) -> bytes:
    """The event, encoded for the topic.

    Raises:
        Problem: the ticket has more messages, tags or bytes than the contract allows.
    """
    if isinstance(event, UpsertEvent):
        _check(event.messages, "messages", limits.max_messages)
        _check(event.tags, "tags", limits.max_tags)
    value = _ENCODER.encode(event)
    if len(value) > limits.max_record_bytes:
        largest = _largest(event)
        raise Problem(
            "too-large",
            f"The ticket would have {len(value):,} bytes, more than the {limits.max_record_bytes:,} allowed.",
            errors=[FieldError(largest, "is the largest part of the ticket; make it shorter")],
        )
    return value


def _next(ticket: UpsertEvent, now_ms: int, **fields: Any) -> UpsertEvent:
    return msgspec.structs.replace(
        ticket, version=version_of(ticket) + 1, updated_at=datetime_from_ms(now_ms), **fields
    )


def _check(items: Sequence[object], field: str, most: int) -> None:
    if len(items) > most:
        raise invalid(field, f"The ticket would have {len(items):,} {field}, more than the {most:,} allowed.")


def _largest(event: TicketEvent) -> str:
    return max(event.__struct_fields__, key=lambda name: len(_ENCODER.encode(getattr(event, name))))
