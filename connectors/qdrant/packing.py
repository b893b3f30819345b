"""Packs payloads for the embedded engine: the fields that filters read as numbers, and the rest as one JSON string.

Its Python binding takes 3 µs to convert a string where a number takes one, and 12 µs for a list; its keyword indexes
take twice as long to write as its integer ones. So a keyword is stored as 63 bits of its hash, and the values that
nearly every point has (live, public) are not stored. A search compares the real tenant_id afterwards
(`connectors.qdrant.reading`), so a hash collision can't show another tenant's ticket.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final
from uuid import UUID

import msgspec
import qdrant_edge as edge

from connectors.qdrant.engine import AnyOf, Between, Condition, EngineId, OfTickets, Stored, WithIds, WithTerms
from connectors.qdrant.layout import DELETED, INDEXED, INTERNAL, LIVE, PUBLIC, TERMS, Row, foreign, row_of

_REST: Final = "rest"
_KEYWORDS: Final = frozenset(name for name, kind in INDEXED.items() if kind != "integer")
_NUMBERS: Final = frozenset(name for name, kind in INDEXED.items() if kind == "integer")
#: Fields that are read without the rest; each point has a state.
_PACKED: Final = _NUMBERS | {"state"}
#: Field values that are not stored, and the only other value that the field can have.
_DEFAULTS: Final = {("state", LIVE): DELETED, ("visibility", PUBLIC): INTERNAL}
_WHOLE: Final = [*sorted(_NUMBERS), _REST]
_HEADS: Final = AnyOf("chunk", (0,))
_LOOKUP: Final = edge.IntegerIndexParams(lookup=True, range=False)
_RANGE: Final = edge.IntegerIndexParams(lookup=False, range=True)
#: Numbers that searches filter by. `version` and `chunk` are compared on points already found.
_RANGED: Final = ("created_at", "updated_at", "solved_at")
_CACHED_KEYWORDS: Final = 65_536
_CACHED_IDS: Final = 4_096
_CACHED_FILTERS: Final = 1_024

_Wanted = edge.FieldCondition | edge.Filter | edge.IsEmptyCondition | edge.HasIdCondition | edge.HasVectorCondition


class _Rest(Row, frozen=True, gc=False):
    """A row without the fields that are stored as numbers."""

    version: int = 0


_REST_DECODER: Final = msgspec.json.Decoder(dict[str, object])
_ROW_DECODER: Final = msgspec.json.Decoder(_Rest)
_set: Final = msgspec.structs.force_setattr


def indexes() -> dict[str, edge.IntegerIndexParams]:
    """The engine's payload indexes by field."""
    return {**dict.fromkeys(sorted(_KEYWORDS), _LOOKUP), **dict.fromkeys(_RANGED, _RANGE)}


def pack(payload: Mapping[str, object]) -> Stored:
    """The payload as the engine stores it."""
    packed: Stored = {}
    rest = dict(payload)
    for name in _NUMBERS:
        if name in rest:
            packed[name] = rest.pop(name)
    for name in _KEYWORDS:
        word = rest.get(name)
        if isinstance(word, str) and (name, word) not in _DEFAULTS:
            packed[name] = _code(word)
    if packed.get("chunk") == 0:  # only bodies are looked up by their head
        packed.pop("head", None)
    packed[_REST] = msgspec.json.encode(rest).decode()
    return packed


def packed_row(packed: Stored) -> Row:
    """The row of a payload that was packed: what `row_of` reads of the whole payload, in half the time.

    Raises:
        FatalError: the point was not written by this program.
    """
    version, chunk, changed = packed.get("version"), packed.get("chunk", 0), packed.get("updated_at")
    try:
        row = _ROW_DECODER.decode(str(packed[_REST]))
        if type(version) is int and type(chunk) is int and (changed is None or type(changed) is int):
            _set(row, "version", version)
            _set(row, "chunk", chunk)
            _set(row, "updated_at", changed)
            return row
    except (msgspec.DecodeError, KeyError, UnicodeError):
        pass
    try:
        return row_of(unpack({**packed}))
    except (msgspec.DecodeError, UnicodeError):
        raise foreign() from None


def unpack(packed: Stored | None, fields: Sequence[str] | None = None) -> Stored:
    """The payload that was packed, or only its `fields`; `packed` may become it."""
    if packed is None:
        return {}
    if fields is not None and _PACKED.issuperset(fields):  # without the rest, which has the text
        state = {} if "state" not in fields else {"state": DELETED if "state" in packed else LIVE}
        return {name: packed[name] for name in fields if name in packed and name in _NUMBERS} | state
    rest = packed.pop(_REST, None)
    if isinstance(rest, str):
        packed.update(_REST_DECODER.decode(rest))  # the keyword replaces its hash
    return packed if fields is None else {name: packed[name] for name in fields if name in packed}


def packed_fields(fields: Sequence[str] | None) -> list[str]:
    """The names under which the engine stores `fields`; None means all except those that only filters read."""
    if fields is None:
        return _WHOLE
    packed = [name for name in fields if name in _PACKED]
    return packed if len(packed) == len(fields) else _WHOLE


def point_ids(ids: Sequence[EngineId]) -> list[EngineId]:
    """The ids in the engine's fastest type: reading a string takes it three times as long."""
    return [_uuid(one) if isinstance(one, str) else one for one in ids]


def filter_of(conditions: Sequence[Condition], unless: Sequence[Condition] = ()) -> edge.Filter | None:
    """A filter on packed payloads: all of `conditions` and none of `unless`."""
    if not unless and all(isinstance(one, AnyOf) for one in conditions):
        return _known_filter(tuple(conditions))
    return _filter_of(conditions, unless)


@lru_cache(maxsize=_CACHED_FILTERS)
def _known_filter(conditions: tuple[Condition, ...]) -> edge.Filter | None:
    """Cached because a search needs the filter on its tenant four times."""
    return _filter_of(conditions, ())


def _filter_of(conditions: Sequence[Condition], unless: Sequence[Condition]) -> edge.Filter | None:
    must: list[_Wanted] = []
    must_not: list[_Wanted] = []
    for found, wanted, opposite in ((conditions, must, must_not), (unless, must_not, must)):
        for condition in found:
            other = _opposite(condition)
            if other is None:
                wanted.append(_condition(condition))
            else:
                opposite.append(_condition(other))
    return edge.Filter(must=[*must], must_not=[*must_not]) if must or must_not else None


def _opposite(condition: Condition) -> AnyOf | None:
    """If the condition asks for a default, which isn't stored, the condition that a point must not match instead."""
    if not isinstance(condition, AnyOf):
        return None
    others = {_DEFAULTS[key] for value in condition.values if (key := (condition.field, str(value))) in _DEFAULTS}
    if not others:
        return None
    if len(condition.values) == 1:
        return AnyOf(condition.field, (others.pop(),))
    raise NotImplementedError(f"{condition.field}: a condition with {LIVE} or {PUBLIC} takes no second value")


def _condition(condition: Condition) -> _Wanted:
    if condition == _HEADS:  # a head doesn't store `head`, which is indexed, as `chunk` is not
        return edge.IsEmptyCondition("head")
    if isinstance(condition, OfTickets):
        heads = condition.heads  # a head doesn't store its own id as `head`
        bodies = edge.FieldCondition(key="head", match=edge.MatchAny([_code(head) for head in heads]))
        return edge.Filter(should=[bodies, edge.HasIdCondition({*point_ids(heads)})])
    if isinstance(condition, WithIds):
        return edge.HasIdCondition({*point_ids(condition.ids)})
    if isinstance(condition, WithTerms):
        return edge.HasVectorCondition(TERMS)
    if isinstance(condition, Between):
        bounds = edge.RangeFloat(gte=condition.least, lt=condition.below)
        return edge.FieldCondition(key=condition.field, range=bounds)
    values = [_code(value) if isinstance(value, str) else value for value in condition.values]
    match = edge.MatchValue(values[0]) if len(values) == 1 else edge.MatchAny([*values])
    return edge.FieldCondition(key=condition.field, match=match)


@lru_cache(maxsize=_CACHED_IDS)
def _uuid(text: str) -> UUID:
    """Cached because a search asks for the same points several times."""
    return UUID(text)


@lru_cache(maxsize=_CACHED_KEYWORDS)
def _code(word: str) -> int:
    """63 bits of a hash that never changes."""
    return int.from_bytes(blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") >> 1
