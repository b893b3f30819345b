"""Parses a record's value into a ticket event. Each mistake of a producer has a code and a reason."""

import re
from datetime import datetime
from typing import Final

import msgspec

from core.contract import CONTRACT_VERSION, TicketEvent, UpsertEvent
from core.epoch import mistaken_for_ms
from core.json_escapes import HALF_IN_ID, replace_half_surrogates
from operators.formats import FRAMED, other_format, unframe, unwrap

_EVENT: Final = msgspec.json.Decoder(TicketEvent)
_JSON: Final = msgspec.json.Decoder()
#: Brackets outside strings; a string is one token, escapes included.
_NESTING: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{\]}]', re.DOTALL)
#: msgspec quotes the value that it found, as Python's repr does; a reason must not.
_QUOTED: Final = re.compile(r""" (?:'.*'|".*")""", re.DOTALL)
_MALFORMED: Final = re.compile(r"^JSON is malformed: ")
_TRAILING: Final = re.compile(r"trailing characters \(byte (?P<at>\d+)\)")
_PATH: Final = re.compile(r" - at `\$?\.?(?P<path>[^`]*)`$")
#: Larger numbers are not shown: they could be personal data, such as a card number.
_MAX_SHOWN: Final = 9_999
_TIME_FORMS: Final = "write RFC 3339 with an offset, as in 2026-01-05T08:12:00Z, or milliseconds since 1970"


class FaultError(Exception):
    """The record is rejected with `code` and `reason`."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def parse_event(value: bytes, *, max_depth: int) -> TicketEvent:
    """The event of a value, whether plain, framed by a schema registry, or in an envelope.

    Raises:
        FaultError: the value holds no event; no reason quotes the ticket's text.
    """
    if value.startswith(FRAMED) and (framed := unframe(value)) is not None:
        if not framed.is_json:
            raise FaultError("wire_format", framed.reason)
        value = framed.payload
    _check_utf8(value)
    _check_depth(value, max_depth)
    event = _parse(value)
    if event.schema_version != CONTRACT_VERSION:
        raise _unknown_schema(event.schema_version)
    _check_times(event)
    if "\ufffd" in event.ticket_id and replace_half_surrogates(value) is not None:
        raise FaultError("bad_field", HALF_IN_ID)
    return event


def _parse(value: bytes) -> TicketEvent:
    try:
        event: TicketEvent = _EVENT.decode(value)
    except msgspec.ValidationError as error:
        return _event_in_envelope(value, str(error))
    except msgspec.DecodeError as error:
        whole = replace_half_surrogates(value)
        if whole is not None:
            return _parse(whole)
        raise _malformed(value, str(error)) from None
    return event


def _malformed(value: bytes, message: str) -> FaultError:
    if (other := other_format(value)) is not None:
        return FaultError("other_format", other)
    trailing = _TRAILING.search(message)
    if trailing and value[int(trailing["at"]) - 1 :].startswith(b"{"):  # counted from 1
        return FaultError("other_format", "the value is several JSON objects; write one record per event")
    return FaultError("bad_json", f"the value is not JSON: {_lower(_MALFORMED.sub('', message))}")


def _event_in_envelope(value: bytes, message: str) -> TicketEvent:
    """The event in valid JSON, or the fault. A wrong contract version takes precedence over other faults."""
    if (other := other_format(value)) is not None:
        raise FaultError("other_format", other)
    try:
        found = _JSON.decode(replace_half_surrogates(value) or value)
    except msgspec.DecodeError:
        found = None  # invalid JSON after the field at fault
    if isinstance(found, dict):
        schema = found.get("schema_version", CONTRACT_VERSION)
        if isinstance(schema, int) and schema != CONTRACT_VERSION:
            raise _unknown_schema(schema)
        if (wrapped := unwrap(found)) is not None:
            try:
                event: TicketEvent = msgspec.convert(wrapped.inner, TicketEvent)
            except msgspec.ValidationError as error:
                detail = f" ({_field_fault(str(error))})" if isinstance(wrapped.inner, dict) else ""
                raise FaultError("envelope", wrapped.reason + detail) from None
            return event
    raise FaultError("bad_field", _field_fault(message))


def _field_fault(message: str) -> str:
    """The path and fault of a field, from an error of msgspec."""
    path = _PATH.search(message)
    where = path["path"] if path and path["path"] else "the event"
    advice = f"; {_TIME_FORMS}" if where.endswith(("created_at", "updated_at")) else ""
    return f"{where}: {_lower(_QUOTED.sub('', _PATH.sub('', message)))}{advice}"


def _check_utf8(value: bytes) -> None:
    """Check the whole value: msgspec doesn't validate the fields that it skips."""
    if value.isascii():
        return
    try:
        value.decode()
    except UnicodeDecodeError as error:
        if (other := other_format(value)) is not None:
            raise FaultError("other_format", other) from None
        raise FaultError("bad_utf8", f"the value is not UTF-8: invalid byte at position {error.start}") from None


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
                raise FaultError("too_deep", f"the value nests deeper than the {most} levels allowed")
        elif byte in b"]}":
            depth -= 1


def _check_times(event: TicketEvent) -> None:
    """Refuse whole numbers that are seconds or dates: as milliseconds they would be in the 1970s."""
    if (form := _mistaken(event.updated_at)) is not None:
        raise _time_fault("updated_at", form)
    if isinstance(event, UpsertEvent):
        if (form := _mistaken(event.created_at)) is not None:
            raise _time_fault("created_at", form)
        for place, message in enumerate(event.messages):
            if (form := _mistaken(message.created_at)) is not None:
                raise _time_fault(f"messages[{place}].created_at", form)


def _mistaken(time: datetime | int | None) -> str | None:
    return mistaken_for_ms(time) if isinstance(time, int) else None


def _time_fault(where: str, form: str) -> FaultError:
    return FaultError("bad_field", f"{where}: the number looks like {form}; {_TIME_FORMS}")


def _unknown_schema(version: int) -> FaultError:
    shown = version if abs(version) <= _MAX_SHOWN else "a huge number"
    return FaultError("unknown_schema", f"schema_version is {shown}; this worker reads {CONTRACT_VERSION}")


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]
