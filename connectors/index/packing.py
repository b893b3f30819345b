"""Payloads as the embedded engine holds them: what filters read as fields, all else in one.

Its Python binding takes 6 µs to convert a string and 12 µs a list, which makes a payload of twenty fields twice as
dear as the write itself; one string of JSON costs as much as any other string.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from connectors.index.layout import INDEXED

_REST: Final = "rest"


def pack(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Indexed fields as they are, the others as JSON under one name."""
    packed = {name: value for name, value in payload.items() if name in INDEXED}
    rest = {name: value for name, value in payload.items() if name not in INDEXED}
    packed[_REST] = msgspec.json.encode(rest).decode()
    return packed


def unpack(packed: Mapping[str, Any] | None, fields: Sequence[str] | None = None) -> dict[str, Any]:
    """The payload again; only `fields` of it, where given."""
    payload = dict(packed or {})
    if _REST in payload:
        payload |= msgspec.json.decode(payload.pop(_REST))
    return payload if fields is None else {name: payload[name] for name in fields if name in payload}


def packed_fields(fields: Sequence[str]) -> list[str]:
    """Under which names the engine holds `fields`."""
    indexed = [name for name in fields if name in INDEXED]
    return indexed if len(indexed) == len(fields) else [*indexed, _REST]
