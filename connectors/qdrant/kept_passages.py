"""Passages that searches of the embedded engine have found, kept until they change.

The engine parses the whole payload of each point that it returns, which takes half of a search's time in it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from sys import getsizeof
from typing import Final, cast

import qdrant_edge as edge
from msgspec import Struct

from connectors.qdrant.edge_points import key_of
from connectors.qdrant.engine import EngineId, FoundPassage, PointKey, Stored
from connectors.qdrant.layout import Row, row_of
from connectors.qdrant.packing import REST, unpack
from core.payload import PayloadValue, shown

#: Maximum size of the passages that are kept, in bytes: some 16,000.
_MAX_SIZE: Final = 32 * 2**20
#: Bytes of a passage in memory, beside its payload's text.
_FIELDS: Final = 1_100
#: Payload fields of few values, each of which is kept once.
_SHARED: Final = ("tenant_id", "model", "status", "channel", "language", "role", "visibility", "solved")

#: Reads the points with these ids.
ReadPoints = Callable[[Sequence[EngineId]], Sequence[edge.Record]]


class KeptPassage(Struct, frozen=True, eq=False):
    """A passage as of the engine's number of its last change."""

    change: int
    row: Row
    payload: Stored
    size: int


class KeptPassages:
    """The passages by key. Safe to use from several threads."""

    def __init__(self, *, max_size: int = _MAX_SIZE) -> None:
        self._passages: dict[PointKey, KeptPassage] = {}
        self._values: dict[object, object] = {}
        self._size = 0
        self._max_size = max_size

    def complete(
        self, answers: Sequence[Sequence[edge.ScoredPoint]], read: ReadPoints
    ) -> tuple[list[list[FoundPassage]], dict[PointKey, KeptPassage]]:
        """The passages of answers without payloads, and those that were read because they weren't kept.

        A passage that a write has overtaken is left out, or read as it is now.
        """
        kept = self._passages
        found: list[list[tuple[EngineId, PointKey, KeptPassage | None, float]]] = []
        missing: dict[PointKey, tuple[EngineId, int]] = {}
        for answer in answers:
            own = []
            for point in answer:
                key = key_of(one := point.id)
                passage = kept.get(key)
                if passage is None or passage.change != point.version:
                    passage, missing[key] = None, (one, point.version)
                own.append((one, key, passage, point.score))
            found.append(own)
        new = self._read(missing, read) if missing else {}
        return [
            [
                FoundPassage(one, key, passage.row, passage.payload, score)
                for one, key, known, score in own
                if (passage := known or new.get(key)) is not None
            ]
            for own in found
        ], new

    def keep(self, passages: Mapping[PointKey, KeptPassage]) -> None:
        """Keep passages that `complete` has read. Where they don't fit, all others are forgotten first."""
        size = sum([one.size for one in passages.values()])
        if self._size + size > self._max_size:
            self._passages, self._values, self._size = {}, {}, 0
        if 0 < size <= self._max_size:
            self._passages.update(passages)
            self._size += size

    def drop(self, ids: Iterable[str]) -> None:
        """Forget the points with these ids: their texts may have been erased."""
        kept = self._passages
        if kept:
            for one in ids:
                dropped = kept.pop(key_of(one), None)
                self._size -= 0 if dropped is None else dropped.size

    def _read(self, missing: Mapping[PointKey, tuple[EngineId, int]], read: ReadPoints) -> dict[PointKey, KeptPassage]:
        passages, share = {}, self._values.setdefault
        for record in read([one for one, _change in missing.values()]):
            key, packed = key_of(record.id), record.payload or {}
            size = _FIELDS + getsizeof(packed.get(REST))
            payload = unpack(packed)
            for name in _SHARED:
                value = payload.get(name)
                if type(value) is str:
                    payload[name] = share(value, value)
            row = row_of(payload)
            kept: Stored = {**shown(cast("dict[str, PayloadValue]", payload)), "tenant_id": row.tenant_id}
            passages[key] = KeptPassage(missing[key][1], row, kept, size)
        return passages
