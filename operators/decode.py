"""Raw bytes to tickets: everything a producer can get wrong ends here, with a code and a sentence."""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from core.contract import (
    CONTRACT_VERSION,
    FINAL_VERSION,
    MAX_VERSION,
    TenantId,
    TicketEvent,
    TicketId,
    milliseconds,
    record_key,
)
from core.contract import UpsertEvent as Upsert
from core.records import Record, Rejected, Ticket
from core.settings import ContractSettings

#: Header that carries the version of a null value: ASCII digits.
VERSION_HEADER: Final = "version"

_EVENT: Final = msgspec.json.Decoder(TicketEvent)
_JSON: Final = msgspec.json.Decoder()
#: Outside strings, what opens and closes a level; a string is taken whole, escapes included.
_NESTING: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{\]}]', re.DOTALL)
#: msgspec quotes what it found, as Python's repr does; a reason must not.
_QUOTED: Final = re.compile(r""" (?:'.*'|".*")""", re.DOTALL)
_MALFORMED: Final = re.compile(r"^JSON is malformed: ")
#: A number beyond may be anything, a card's for one, and isn't quoted.
_MAX_SHOWN: Final = 9_999
_PATH: Final = re.compile(r" - at `\$?\.?(?P<path>[^`]*)`$")


class _Key(Struct, frozen=True):
    """What a key names; the types check its form."""

    tenant_id: TenantId
    ticket_id: TicketId


def decode(items: Sequence[Record], *, settings: ContractSettings) -> list[Ticket | Rejected]:
    """Decode and check each record against the contract and its limits.

    Codes: too_large, too_deep, bad_utf8, bad_json, bad_field, unknown_schema, no_version, bad_key,
    too_many_messages, too_many_tags. No reason quotes the ticket's text.
    """
    return [_decode(record, settings) for record in items]


class _FaultError(Exception):
    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def _decode(record: Record, settings: ContractSettings) -> Ticket | Rejected:
    try:
        if record.value is None:
            return _deleted_by_null(record, settings)
        return _event(record, record.value, settings)
    except _FaultError as fault:
        return Rejected(record, "decode", fault.code, fault.reason)


def _event(record: Record, value: bytes, settings: ContractSettings) -> Ticket:
    if len(value) > settings.max_record_bytes:
        raise _FaultError(
            "too_large", f"the value has {len(value):,} bytes, more than the {settings.max_record_bytes:,} allowed"
        )
    _check_utf8(value)
    _check_depth(value, settings.max_depth)
    event = _parse(value)
    if event.schema_version != CONTRACT_VERSION:
        raise _unknown_schema(event.schema_version)
    if record.key != record_key(event.tenant_id, event.ticket_id):
        raise _FaultError("bad_key", "the key is not tenant_id/ticket_id of the event; it keeps a ticket in order")
    if not isinstance(event, Upsert):
        return Ticket(record, event.tenant_id, event.ticket_id, _version(event, settings), None)
    if len(event.messages) > settings.max_messages:
        raise _FaultError("too_many_messages", _too_many(len(event.messages), "messages", settings.max_messages))
    if len(event.tags) > settings.max_tags:
        raise _FaultError("too_many_tags", _too_many(len(event.tags), "tags", settings.max_tags))
    return Ticket(record, event.tenant_id, event.ticket_id, _version(event, settings), event)


def _parse(value: bytes) -> TicketEvent:
    try:
        event: TicketEvent = _EVENT.decode(value)
    except msgspec.ValidationError as error:
        raise _field_fault(value, str(error)) from None
    except msgspec.DecodeError as error:
        raise _FaultError("bad_json", f"the value is not JSON: {_lower(_MALFORMED.sub('', str(error)))}") from None
    return event


def _field_fault(value: bytes, message: str) -> _FaultError:
    """Why a well-formed value is no event: another contract version is said first, whatever else doesn't fit."""
    try:
        found: Any = _JSON.decode(value)
    except msgspec.DecodeError:
        found = None  # a value that stops being JSON after the fault
    if isinstance(found, dict):
        schema = found.get("schema_version", CONTRACT_VERSION)
        if isinstance(schema, int) and schema != CONTRACT_VERSION:
            return _unknown_schema(schema)
    path = _PATH.search(message)
    where = path["path"] if path and path["path"] else "the value"
    return _FaultError("bad_field", f"{where}: {_lower(_QUOTED.sub('', _PATH.sub('', message)))}")


def _check_utf8(value: bytes) -> None:
    """All of it: the parser skips what fields of no meaning hold."""
    if value.isascii():
        return
    try:
        value.decode()
    except UnicodeDecodeError as error:
        raise _FaultError("bad_utf8", f"the value is not UTF-8: byte {error.start} begins no character") from None


def _check_depth(value: bytes, most: int) -> None:
    """Refuse deep nesting before a parser recurses into it."""
    if value.count(b"[") + value.count(b"{") <= most:
        return
    depth = 0
    for token in _NESTING.finditer(value):
        byte = value[token.start()]
        if byte in b"[{":
            depth += 1
            if depth > most:
                raise _FaultError("too_deep", f"the value nests deeper than the {most} levels allowed")
        elif byte in b"]}":
            depth -= 1


def _version(event: TicketEvent, settings: ContractSettings) -> int:
    """The event's version, from the one place the setting names: two sources would not be comparable."""
    if settings.version_source == "updated_at":
        if event.updated_at is None:
            raise _FaultError("no_version", "updated_at is missing, and serves as the version here")
        return _time_as_version(milliseconds(event.updated_at), "updated_at")
    if event.version is None:
        raise _FaultError(
            "no_version", "version is missing; TICKETS_CONTRACT__VERSION_SOURCE=updated_at would do without"
        )
    return event.version


def _time_as_version(ms: int, what: str) -> int:
    """A version is never negative: the index takes such a one for older than nothing, and drops it unseen."""
    if not 0 <= ms <= MAX_VERSION:
        raise _FaultError("no_version", f"{what} is missing or before 1970, and serves as the version here")
    return ms


def _deleted_by_null(record: Record, settings: ContractSettings) -> Ticket:
    key = _named_by(record.key)
    header = dict(record.headers).get(VERSION_HEADER)
    if header is not None:
        if not (header.isdigit() and int(header[:20]) <= MAX_VERSION and len(header) <= len(str(MAX_VERSION))):
            raise _FaultError("no_version", f"the version header is not a number from 0 to {MAX_VERSION}")
        version = int(header)
    elif settings.version_source == "updated_at":
        version = _time_as_version(record.timestamp_ms, "the record's timestamp")
    else:
        version = FINAL_VERSION
    return Ticket(record, key.tenant_id, key.ticket_id, version, None)


def _named_by(key: bytes | None) -> _Key:
    try:
        tenant, slash, ticket = (key or b"").decode().partition("/")
        if slash:
            return msgspec.convert({"tenant_id": tenant, "ticket_id": ticket}, _Key)
    except (UnicodeDecodeError, msgspec.ValidationError):
        pass
    raise _FaultError(
        "bad_key", "a null value deletes the ticket its key names, and this key is not tenant_id/ticket_id"
    )


def _unknown_schema(version: int) -> _FaultError:
    shown = version if abs(version) <= _MAX_SHOWN else "a huge number"
    return _FaultError("unknown_schema", f"schema_version is {shown}; this worker reads {CONTRACT_VERSION}")


def _too_many(count: int, what: str, most: int) -> str:
    return f"the ticket has {count:,} {what}, more than the {most:,} allowed"


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]
