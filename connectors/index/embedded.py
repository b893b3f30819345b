"""Qdrant's own engine in this process, on disk: qdrant-edge. One process owns the folder."""

import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import qdrant_edge as edge
from msgspec import Struct

from connectors.index.engine import AnyOf, Condition, Found, Upsert
from connectors.index.layout import INDEXED, LAYOUT_VERSION, VECTOR
from core.errors import ConfigError, FatalError
from core.records import Point, Vector

_SHARD: Final = "shard"
_META: Final = "index.json"
_PAGE: Final = 1_000
_KINDS: Final[dict[str, Any]] = {
    "tenant": edge.KeywordIndexParams(is_tenant=True),
    "keyword": edge.PayloadSchemaType.Keyword,
    "integer": edge.PayloadSchemaType.Integer,
}


class _Meta(Struct, frozen=True):
    """What the folder was made for."""

    dimension: int
    layout: int


class EdgeEngine:
    """Implements `connectors.index.engine.Engine`. The folder must be ours (`connectors.index.ownership`)."""

    def __init__(self, path: Path, *, dimension: int) -> None:
        """Open the folder, or create it for vectors of `dimension`.

        Raises:
            ConfigError: it was made for another dimension, or what lies there can't be read.
        """
        self._dimension = _require_meta(path, dimension)
        self._shard = _open(path, dimension)
        self._writing = threading.Lock()
        self._closed = False

    @property
    def dimension(self) -> int:
        """See `Engine`."""
        return self._dimension

    def write(self, upserts: Sequence[Upsert]) -> None:
        """See `Engine`."""
        operations = [
            edge.UpdateOperation.upsert_points([_point(point) for point in upsert.points], condition=_below(upsert))
            for upsert in upserts
        ]
        with self._writing:
            if self._closed:
                raise FatalError("the index is closed")
            with _fatal():
                for operation in operations:
                    self._shard.update(operation)
                # To the disk before anybody is told: an ack lets the offset be committed, and then nobody reads the
                # record again, not even after a power cut.
                self._shard.flush()

    def lookup(self, ids: Sequence[str], fields: Sequence[str]) -> dict[str, dict[str, Any]]:
        """See `Engine`."""
        with _fatal():
            found = self._shard.retrieve(list(ids), list(fields), False) if ids else []
        return {str(record.id): record.payload or {} for record in found}

    def nearest(self, vector: Vector, conditions: Sequence[Condition], limit: int) -> list[Found]:
        """See `Engine`."""
        request = edge.QueryRequest(
            limit=limit,
            query=edge.Query.Nearest(vector.tolist(), using=VECTOR),
            filter=_filter(conditions),
            with_payload=True,
        )
        with _fatal():
            found = self._shard.query(request)
        return [Found(str(point.id), point.payload or {}, point.score) for point in found]

    def scan(
        self,
        conditions: Sequence[Condition],
        unless: Sequence[Condition] = (),
        *,
        fields: Sequence[str] | None = None,
        vectors: bool = False,
    ) -> Iterator[Found]:
        """See `Engine`."""
        offset: Any = None
        while True:
            request = edge.ScrollRequest(
                offset=offset,
                limit=_PAGE,
                filter=_filter(conditions, unless),
                with_payload=True if fields is None else list(fields),
                with_vector=vectors,
            )
            with _fatal():
                records, offset = self._shard.scroll(request)
            for record in records:
                named: Any = record.vector or {}
                yield Found(str(record.id), record.payload or {}, vector=named.get(VECTOR))
            if offset is None:
                return

    def count(self, conditions: Sequence[Condition]) -> int:
        """See `Engine`."""
        with _fatal():
            return self._shard.count(edge.CountRequest(exact=True, filter=_filter(conditions)))

    def close(self) -> None:
        """Flush, and let the folder go."""
        with self._writing:
            if not self._closed:
                self._closed = True
                self._shard.flush()
                self._shard.close()


@contextmanager
def _fatal() -> Iterator[None]:
    """The engine's own exceptions as ours: a full disk, a damaged file, a bug. None of them passes by waiting."""
    try:
        yield
    except BaseException as error:
        if not _of_engine(error):
            raise
        raise FatalError(f"the embedded index: {_said(error)}") from error


def _of_engine(error: BaseException) -> bool:
    """Plain `Exception`, or a panic of its Rust code: that derives from BaseException and has no public name."""
    return type(error) is Exception or type(error).__name__ == "PanicException"


def _said(error: BaseException) -> str:
    return (str(error).splitlines() or ["no details"])[0][:160]


def _require_meta(path: Path, dimension: int) -> int:
    file = path / _META
    if not file.exists():
        if (path / _SHARD).exists():
            raise ConfigError(f"TICKETS_INDEX__PATH: {file} is missing; name a new folder, and replay the log")
        draft = path / f"{_META}.draft"
        draft.write_bytes(msgspec.json.encode(_Meta(dimension, LAYOUT_VERSION)))
        draft.replace(file)
        return dimension
    try:
        meta = msgspec.json.decode(file.read_bytes(), type=_Meta)
    except msgspec.DecodeError:
        raise ConfigError(f"TICKETS_INDEX__PATH: {file} is damaged; name a new folder, and replay the log") from None
    if meta.layout != LAYOUT_VERSION:
        raise ConfigError(
            f"TICKETS_INDEX__PATH: {path} has layout {meta.layout} and this version writes {LAYOUT_VERSION}; name "
            "a new folder and a new consumer group, and the log is indexed anew"
        )
    if meta.dimension != dimension:
        raise ConfigError(
            f"TICKETS_INDEX__PATH: {path} was made for vectors of {meta.dimension} dimensions and the model gives "
            f"{dimension}; name a new folder and a new consumer group, and the log is indexed anew"
        )
    return dimension


def _open(path: Path, dimension: int) -> edge.EdgeShard:
    shard = path / _SHARD
    try:
        if shard.exists():
            return edge.EdgeShard.load(str(shard))
        return _create(shard, dimension)
    except BaseException as error:
        if not _of_engine(error):
            raise
        raise ConfigError(
            f"TICKETS_INDEX__PATH: {shard} can't be opened ({_said(error)}); name a new folder and "
            "a new consumer group, and the log is indexed anew"
        ) from None


def _create(shard: Path, dimension: int) -> edge.EdgeShard:
    """Made aside and renamed, so that a crash leaves no half of it."""
    draft = shard.with_name(f"{shard.name}.draft")
    if draft.exists():
        shutil.rmtree(draft)
    params = edge.EdgeVectorParams(size=dimension, distance=edge.Distance.Cosine)
    made = edge.EdgeShard.create(str(draft), edge.EdgeConfig(vectors={VECTOR: params}))
    for field, kind in INDEXED.items():
        made.update(edge.UpdateOperation.create_field_index(field, _KINDS[kind]))
    made.flush()
    made.close()
    draft.rename(shard)
    return edge.EdgeShard.load(str(shard))


def _point(point: Point) -> edge.Point:
    vector: Any = {} if point.vector is None else {VECTOR: point.vector.tolist()}
    return edge.Point(point.id, vector, point.payload)


def _below(upsert: Upsert) -> edge.Filter:
    return edge.Filter(must=[edge.FieldCondition(key="version", range=edge.RangeFloat(lt=upsert.below))])


def _filter(conditions: Sequence[Condition], unless: Sequence[Condition] = ()) -> edge.Filter | None:
    if not conditions and not unless:
        return None
    return edge.Filter(must=[_condition(c) for c in conditions], must_not=[_condition(c) for c in unless])


def _condition(condition: Condition) -> edge.FieldCondition:
    if not isinstance(condition, AnyOf):
        bounds = edge.RangeFloat(gte=condition.least, lt=condition.below)
        return edge.FieldCondition(key=condition.field, range=bounds)
    values: Any = list(condition.values)
    match = edge.MatchValue(values[0]) if len(values) == 1 else edge.MatchAny(values)
    return edge.FieldCondition(key=condition.field, match=match)
