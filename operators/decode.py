"""Decodes raw records into tickets, and rejects those that break the contract, with a code and a reason."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from core.contract import (
    FINAL_VERSION,
    MAX_VERSION,
    TenantId,
    TicketEvent,
    TicketId,
    UpsertEvent,
    milliseconds,
    record_key,
)
from core.epoch import IMPLAUSIBLE_MS
from core.records import Record, Rejected, Ticket
from core.settings import ContractSettings
from operators.parse import FaultError, parse_event

#: Header that carries the version of a null value: ASCII digits.
VERSION_HEADER: Final = "version"


class _Key(Struct, frozen=True):
    """The ids of a key; the types check their form."""

    tenant_id: TenantId
    ticket_id: TicketId


def decode(items: Sequence[Record], *, settings: ContractSettings) -> list[Ticket | Rejected]:
    """Decode and check each record against the contract and its limits.

    Codes: unreadable, too_large, too_deep, bad_utf8, bad_json, other_format, wire_format, envelope, bad_field,
    unknown_schema, no_version, future, bad_key, too_many_messages, too_many_tags. No reason quotes the ticket's text.
    """
    return [_decode(record, settings) for record in items]


def _decode(record: Record, settings: ContractSettings) -> Ticket | Rejected:
    try:
        if record.value is None:
            return _deleted_by_null(record, settings)
        return _event(record, record.value, settings)
    except FaultError as fault:
        return Rejected(record, "decode", fault.code, fault.reason)


def _event(record: Record, value: bytes, settings: ContractSettings) -> Ticket:
    if len(value) > settings.max_record_bytes:
        raise FaultError(
            "too_large", f"the value has {len(value):,} bytes, more than the {settings.max_record_bytes:,} allowed"
        )
    event = parse_event(value, max_depth=settings.max_depth)
    if record.key != record_key(event.tenant_id, event.ticket_id):
        raise FaultError(
            "bad_key", "the key must be tenant_id/ticket_id of the event, so that a ticket's events stay in order"
        )
    if not isinstance(event, UpsertEvent):
        return Ticket(record, event.tenant_id, event.ticket_id, _version(record, event, settings), None)
    if len(event.messages) > settings.max_messages:
        raise FaultError("too_many_messages", _too_many(len(event.messages), "messages", settings.max_messages))
    if len(event.tags) > settings.max_tags:
        raise FaultError("too_many_tags", _too_many(len(event.tags), "tags", settings.max_tags))
    return Ticket(record, event.tenant_id, event.ticket_id, _version(record, event, settings), event)


def _version(record: Record, event: TicketEvent, settings: ContractSettings) -> int:
    """The event's version, only from the field in the setting, because versions of two fields are not comparable."""
    if settings.version_source == "updated_at":
        if event.updated_at is None:
            raise FaultError(
                "no_version", "updated_at is missing, but TICKETS_CONTRACT__VERSION_SOURCE=updated_at requires it"
            )
        version = _time_as_version(milliseconds(event.updated_at), "updated_at")
        _require_past(version, "updated_at", record, settings)
        return version
    if event.version is None:
        raise FaultError(
            "no_version", "version is missing; TICKETS_CONTRACT__VERSION_SOURCE=updated_at takes updated_at instead"
        )
    return event.version


def _require_past(version: int, what: str, record: Record, settings: ContractSettings) -> None:
    """Refuse a time far in the future: as a version it would outrank every later event of its ticket, its delete too.

    It is compared with the record's timestamp and not with a clock, so that every replay decides alike. A missing
    timestamp, which no broker bounds, and one after 2099 count as 1970.
    """
    written_ms = record.timestamp_ms if 0 < record.timestamp_ms < IMPLAUSIBLE_MS else 0
    if version - written_ms > 1000 * settings.max_ahead_s:
        raise FaultError(
            "future",
            f"{what} lies more than {settings.max_ahead_s:,.0f} s after the record's timestamp "
            "(TICKETS_CONTRACT__MAX_AHEAD_S), and as the version it would outrank all later events",
        )


def _time_as_version(ms: int, what: str) -> int:
    """Refuse negative versions: the index would treat one as stale and drop it silently."""
    if not 0 <= ms <= MAX_VERSION:
        raise FaultError("no_version", f"{what} is missing or before 1970, but is used as the version")
    return ms


def _deleted_by_null(record: Record, settings: ContractSettings) -> Ticket:
    if record.damage is not None:  # a delete may have lost its version; an event in a value needs no header
        raise FaultError("unreadable", record.damage.reason)
    key = _ids(record.key)
    headers = dict(record.headers)
    if VERSION_HEADER in headers:
        header = headers[VERSION_HEADER] or b""
        if not (header.isdigit() and int(header[:20]) <= MAX_VERSION and len(header) <= len(str(MAX_VERSION))):
            raise FaultError("no_version", f"the version header is not a number from 0 to {MAX_VERSION}")
        version = int(header)
        if settings.version_source == "updated_at":
            _require_past(version, "the version header", record, settings)
    elif settings.version_source == "updated_at":
        version = _time_as_version(record.timestamp_ms, "the record's timestamp")
        if version >= IMPLAUSIBLE_MS:
            raise FaultError(
                "future", "the record's timestamp is after 2099, and as the version would outrank all others"
            )
    else:
        version = FINAL_VERSION
    return Ticket(record, key.tenant_id, key.ticket_id, version, None)


def _ids(key: bytes | None) -> _Key:
    try:
        tenant, slash, ticket = (key or b"").decode().partition("/")
        if slash:
            return msgspec.convert({"tenant_id": tenant, "ticket_id": ticket}, _Key)
    except (UnicodeDecodeError, msgspec.ValidationError):
        pass
    raise FaultError("bad_key", "a null value is a delete, and needs the key tenant_id/ticket_id")


def _too_many(count: int, what: str, most: int) -> str:
    return f"the ticket has {count:,} {what}, more than the {most:,} allowed"
