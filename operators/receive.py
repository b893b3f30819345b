"""Decodes the records of a split stream's topics."""

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from core.contract import FINAL_VERSION, TenantId, TicketId, record_key
from core.records import EnrichedTicket, Record, Rejected, Stage, TicketPoints
from core.wire.embedded import MODEL, decode_embedded
from core.wire.enriched import decode_enriched
from core.wire.format import CONTENT_TYPE, Kind, content_type

T = TypeVar("T", EnrichedTicket, TicketPoints)


class _Ids(Struct, frozen=True):
    """The types check the form, as `operators.decode` does: the index keeps notes of its own under an empty tenant."""

    tenant_id: TenantId
    ticket_id: TicketId
    version: Annotated[int, Meta(ge=0, le=FINAL_VERSION)]


def receive_enriched(records: Sequence[Record]) -> list[EnrichedTicket | Rejected]:
    """Records of `tickets.enriched` as enriched tickets."""
    return [_receive(record, "enriched", "embed", decode_enriched) for record in records]


def receive_embedded(records: Sequence[Record], *, model: str | None = None) -> list[TicketPoints | Rejected]:
    """Records of `tickets.embedded` as points. With `model`, a stamp, points of other models are rejected."""
    return [_receive_points(record, model) for record in records]


def _receive_points(record: Record, model: str | None) -> TicketPoints | Rejected:
    if record.damage is None and model is not None and dict(record.headers).get(MODEL) != model.encode():
        return Rejected(record, "index", "other_model", "its vectors were not made by the model of this index")
    return _receive(record, "embedded", "index", decode_embedded)


def _receive(record: Record, kind: Kind, stage: Stage, read: Callable[[Record], T]) -> T | Rejected:
    """The decoded record; Rejected if it is of another kind or version, is malformed, or has another ticket's key."""
    if record.damage is not None:
        return Rejected(record, stage, "unreadable", record.damage.reason)
    given = dict(record.headers).get(CONTENT_TYPE)
    if given != content_type(kind):  # not quoted in the reason, because a header may contain anything
        said = "is missing" if given is None else "is another"
        return Rejected(record, stage, "unknown_format", f"content-type {said}; expected {content_type(kind).decode()}")
    try:
        found = read(record)
    except ValueError:  # includes msgspec's errors, which may quote the value
        return Rejected(record, stage, "bad_message", f"the value is not the MessagePack map of an {kind} ticket")
    ticket = found if isinstance(found, TicketPoints) else found.ticket
    if record.key != record_key(ticket.tenant_id, ticket.ticket_id):
        return Rejected(record, stage, "bad_key", "the key is not tenant_id/ticket_id of the ticket")
    try:
        msgspec.convert({name: getattr(ticket, name) for name in _Ids.__struct_fields__}, _Ids)
    except msgspec.ValidationError:
        return Rejected(record, stage, "bad_message", "its ids or its version are not those of a ticket")
    return found
