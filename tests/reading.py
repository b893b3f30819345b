"""An independent reading of the contract, which uses the standard library and shares no code with `operators`.

It assumes the default settings, except for a limit of 200,000 bytes for a record.
"""

import json
import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from msgspec import Struct

from core.records import Record

MAX_RECORD_BYTES = 200_000
_FINAL = 2**53 - 1
_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TICKET = re.compile(r"[^\x00-\x1f\x7f]{1,128}")
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]+)?"
    r"([Zz]|([+-])([0-9]{2}):?([0-9]{2}))"
)
_LAST_MS = 253_402_300_799_999
_MAX_DIGITS = 4_300
_ENDLESS = 10**_MAX_DIGITS

Check = Callable[[Any], bool]
Pairs = list[tuple[str, Any]]


class Reading(Struct, frozen=True):
    """The ids and the version of a good record."""

    tenant_id: str
    ticket_id: str
    version: int
    deleted: bool


class _Object(Struct, frozen=True):
    """A JSON object with all its pairs, repeated names included."""

    pairs: Pairs

    def last(self, name: str) -> Any:
        return dict(self.pairs).get(name)


def read(record: Record) -> Reading | None:
    """Read a record; None if it is bad."""
    try:
        if record.value is None:
            return None if record.damage else _null(record)
        if len(record.value) > MAX_RECORD_BYTES:
            return None
        value = unframed(record.value)
        return None if depth(value) > 16 else _content(parse(value), record.key)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None


def unframed(value: bytes) -> bytes:
    """The value without the frame of a schema registry's serializer, if it has one."""
    for header in (rb"\x00.{4}", rb"\x03\x00.{16}"):
        match = re.fullmatch(header + rb"(\s*[{\[].*)", value, re.DOTALL)
        if match:
            return match[1]
    return value


def depth(value: bytes) -> int:
    """The depth of nested arrays and objects. An unterminated string extends to the end."""
    level = deepest = 0
    for byte in re.sub(rb'"(?:\\.|[^"\\])*"?', b"", value, flags=re.DOTALL):
        level += (byte in b"[{") - (byte in b"]}")
        deepest = max(deepest, level)
    return deepest


def parse(value: bytes) -> Any:
    """Parse JSON and keep every pair of an object.

    Raises:
        ValueError: the value is not JSON in UTF-8.
        RecursionError: it nests too deeply for Python's parser.
    """
    found = json.loads(value.decode(), object_pairs_hook=_Object, parse_int=_integer, parse_constant=_constant)
    return _whole_characters(found)


def key_in(found: Any) -> bytes | None:
    """The key that an event's ids make; None if an id is missing, or bad in any of its pairs."""
    if not isinstance(found, _Object) or not _fits(found, _IDS, tuple(_IDS)):
        return None
    return f"{found.last('tenant_id')}/{found.last('ticket_id')}".encode()


def _whole_characters(found: Any) -> Any:
    """Replace half surrogate pairs, which JSON allows, by U+FFFD."""
    if isinstance(found, str):
        return re.sub("[\ud800-\udfff]", "\ufffd", found)
    if isinstance(found, list):
        return [_whole_characters(item) for item in found]
    if isinstance(found, _Object):
        return _Object([(_whole_characters(name), _whole_characters(value)) for name, value in found.pairs])
    return found


def _integer(digits: str) -> int:
    """An integer. Python converts at most 4,300 digits; a longer one becomes a number that no field accepts."""
    return int(digits) if len(digits) <= _MAX_DIGITS else (-_ENDLESS if digits.startswith("-") else _ENDLESS)


def _constant(name: str) -> Any:
    raise ValueError(name)


def _null(record: Record) -> Reading | None:
    tenant_id, slash, ticket_id = (record.key or b"").decode().partition("/")
    if not (slash and _TENANT.fullmatch(tenant_id) and _TICKET.fullmatch(ticket_id)):
        return None
    version = dict(record.headers).get("version")
    if version is None:
        return Reading(tenant_id, ticket_id, _FINAL, deleted=True)
    if not re.fullmatch(rb"[0-9]{1,16}", version) or int(version) >= _FINAL:
        return None
    return Reading(tenant_id, ticket_id, int(version), deleted=True)


def _content(found: Any, key: bytes | None) -> Reading | None:
    """Read an event, or the event in an envelope."""
    read = _event(found, key)
    if read is not None or not isinstance(found, _Object):
        return read
    names = {name for name, _ in found.pairs}
    if names == {"schema", "payload"}:
        return _content(found.last("payload"), key)
    if found.last("op") in tuple("crud") and names & {"before", "after"}:
        return _event(found.last("after"), key)
    return _event(found.last("data"), key) if isinstance(found.last("specversion"), str) else None


def _event(event: Any, key: bytes | None) -> Reading | None:
    if not isinstance(event, _Object):
        return None
    kinds = [value for name, value in event.pairs if name == "op"]
    kind = kinds[0] if kinds else None
    if kind not in ("upsert", "delete") or any(other != kind for other in kinds):
        return None
    if not _fits(event, _FIELDS[kind], _NEEDED[kind]):
        return None
    tenant_id, ticket_id, version = event.last("tenant_id"), event.last("ticket_id"), event.last("version")
    last_schema = event.last("schema_version")
    if version is None or last_schema not in {None, 1} or key != f"{tenant_id}/{ticket_id}".encode():
        return None
    sized = all(len(event.last(name) or ()) <= most for name, most in (("tags", 100), ("messages", 1000)))
    return Reading(tenant_id, ticket_id, version, deleted=kind == "delete") if sized or kind == "delete" else None


def _fits(event: _Object, fields: dict[str, Check], needed: Sequence[str]) -> bool:
    """Whether every pair of a listed field is valid, and the needed fields are present."""
    return all(name not in fields or fields[name](value) for name, value in event.pairs) and all(
        any(name == given for given, _ in event.pairs) for name in needed
    )


def _whole(least: int, most: int) -> Check:
    return lambda value: type(value) is int and least <= value <= most


def _text(least: int = 0, most: int = 2**62) -> Check:
    return lambda value: isinstance(value, str) and least <= len(value) <= most


def _or_null(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _list_of(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(check(item) for item in value)


def _time(value: Any) -> bool:
    if not isinstance(value, str):
        return _whole(0, _LAST_MS)(value) and not (10**8 <= value < 10**11 or _spells_a_date(str(value)))
    match = _TIME.fullmatch(value)
    if match is None:
        return False
    hours, minutes = int(match[10] or 0), int(match[11] or 0)
    if minutes > 59:
        return False
    zone = timezone(timedelta(hours=hours, minutes=minutes)) if match[9] else UTC
    moment = datetime(*(int(match[n]) for n in range(1, 7)), tzinfo=zone)  # type: ignore[misc,arg-type]
    moment + timedelta(seconds=round(float(match[7] or 0), 6))  # raises beyond the year 9999
    return True


def _spells_a_date(digits: str) -> bool:
    if len(digits) not in (8, 12, 14) or not "1970" <= digits[:4] < "2100":
        return False
    try:
        datetime(int(digits[:4]), *(int(digits[n : n + 2]) for n in range(4, len(digits), 2)), tzinfo=UTC)  # type: ignore[arg-type,misc]
    except ValueError:
        return False
    return True


def _message(value: Any) -> bool:
    fields: dict[str, Check] = {
        "author": lambda author: author in ("customer", "agent", "system"),
        "body": _text(),
        "created_at": _time,
        "public": lambda public: isinstance(public, bool),
    }
    return isinstance(value, _Object) and _fits(value, fields, ("author", "body", "created_at"))


def _attribute(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, str | bool) or _whole(-(2**63), 2**63 - 1)(value)


def _attributes(value: Any) -> bool:
    return isinstance(value, _Object) and all(_attribute(given) for _, given in value.pairs)


_KEYWORD = _text(1, 64)
_IDS: dict[str, Check] = {
    "tenant_id": lambda value: isinstance(value, str) and _TENANT.fullmatch(value) is not None,
    "ticket_id": lambda value: isinstance(value, str) and _TICKET.fullmatch(value) is not None,
}
_COMMON: dict[str, Check] = {
    **_IDS,
    "schema_version": lambda value: type(value) is int and abs(value) < _ENDLESS,
    "version": _or_null(_whole(0, _FINAL - 1)),
}
_FIELDS: dict[str, dict[str, Check]] = {
    "delete": {**_COMMON, "updated_at": _or_null(_time)},
    "upsert": {
        **_COMMON,
        "created_at": _time,
        "updated_at": _time,
        "subject": _text(),
        "body": _text(),
        "channel": _KEYWORD,
        "status": _KEYWORD,
        "priority": _or_null(_KEYWORD),
        "category": _or_null(_KEYWORD),
        "customer_id": _or_null(_text(1, 128)),
        "tags": _list_of(_KEYWORD),
        "messages": _list_of(_message),
        "attributes": _attributes,
    },
}
_NEEDED: dict[str, Sequence[str]] = {
    "delete": ("tenant_id", "ticket_id"),
    "upsert": ("tenant_id", "ticket_id", "created_at", "updated_at"),
}
