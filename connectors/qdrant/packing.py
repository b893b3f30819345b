"""Payloads as the embedded engine holds them: numbers for filters to read, and everything as one string beside them.

Its Python binding takes 3 µs to convert a string where a number takes one, and 12 µs for a list; its keyword indexes
take twice as long to write as its integer ones. So a word that filters compare goes in as 63 bits of its hash, and
what nearly every point says (live, public) is not said at all. A search looks at the tenant's own word afterwards
(`connectors.qdrant.policy`): a collision can't show another tenant's ticket.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

import msgspec
import qdrant_edge as edge

from connectors.qdrant.engine import AnyOf, Condition
from connectors.qdrant.layout import DELETED, INDEXED, INTERNAL, LIVE, PUBLIC

_REST: Final = "rest"
_WORDS: Final = frozenset(name for name, kind in INDEXED.items() if kind != "integer")
_NUMBERS: Final = frozenset(name for name, kind in INDEXED.items() if kind == "integer")
#: A word that goes without saying, and the one other that its field may hold.
_UNSAID: Final = {("state", LIVE): DELETED, ("visibility", PUBLIC): INTERNAL}
_LOOKUP: Final = edge.IntegerIndexParams(lookup=True, range=False)
_RANGE: Final = edge.IntegerIndexParams(lookup=False, range=True)
#: Numbers that searches filter by. `version` and `chunk` are compared on points already found.
_RANGED: Final = ("updated_at",)
_REMEMBERED: Final = 65_536


def indexes() -> dict[str, Any]:
    """The engine's payload indexes."""
    return {**dict.fromkeys(sorted(_WORDS), _LOOKUP), **dict.fromkeys(_RANGED, _RANGE)}


def pack(payload: Mapping[str, Any]) -> dict[str, Any]:
    """What filters read as numbers, everything else and the words themselves as JSON under one name."""
    packed: dict[str, Any] = {}
    rest = dict(payload)
    for name in _NUMBERS:
        if name in rest:
            packed[name] = rest.pop(name)
    for name in _WORDS:
        word = rest.get(name)
        if isinstance(word, str) and (name, word) not in _UNSAID:
            packed[name] = _code(word)
    if packed.get("chunk") == 0:  # bodies are looked for by their head, never a head
        packed.pop("head", None)
    packed[_REST] = msgspec.json.encode(rest).decode()
    return packed


def unpack(packed: Mapping[str, Any] | None, fields: Sequence[str] | None = None) -> dict[str, Any]:
    """The payload again; only `fields` of it, where given."""
    if not packed:
        return {}
    payload: dict[str, Any] = msgspec.json.decode(packed[_REST]) if _REST in packed else {}
    payload |= {name: value for name, value in packed.items() if name in _NUMBERS}
    return payload if fields is None else {name: payload[name] for name in fields if name in payload}


def packed_fields(fields: Sequence[str]) -> list[str]:
    """Under which names the engine holds `fields`."""
    numbers = [name for name in fields if name in _NUMBERS]
    return numbers if len(numbers) == len(fields) else [*numbers, _REST]


def filter_of(conditions: Sequence[Condition], unless: Sequence[Condition] = ()) -> edge.Filter | None:
    """Every one of `conditions` and none of `unless`, over packed payloads."""
    must: list[Any] = []
    must_not: list[Any] = []
    for found, wanted, opposite in ((conditions, must, must_not), (unless, must_not, must)):
        for condition in found:
            other = _other_word(condition)
            if other is None:
                wanted.append(_condition(condition))
            else:
                opposite.append(_condition(AnyOf(condition.field, (other,))))
    return edge.Filter(must=must, must_not=must_not) if must or must_not else None


def _other_word(condition: Condition) -> str | None:
    """The word that a point must not have for the condition to hold, where the asked one goes without saying."""
    if not isinstance(condition, AnyOf):
        return None
    others = {_UNSAID[key] for value in condition.values if (key := (condition.field, str(value))) in _UNSAID}
    if len(condition.values) == 1 or not others:
        return next(iter(others), None)
    raise NotImplementedError(f"{condition.field}: ask for one word")


def _condition(condition: Condition) -> edge.FieldCondition:
    if not isinstance(condition, AnyOf):
        bounds = edge.RangeFloat(gte=condition.least, lt=condition.below)
        return edge.FieldCondition(key=condition.field, range=bounds)
    values: Any = [_code(value) if isinstance(value, str) else value for value in condition.values]
    match = edge.MatchValue(values[0]) if len(values) == 1 else edge.MatchAny(values)
    return edge.FieldCondition(key=condition.field, match=match)


@lru_cache(maxsize=_REMEMBERED)
def _code(word: str) -> int:
    """63 bits of a hash that never changes."""
    return int.from_bytes(blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") >> 1
