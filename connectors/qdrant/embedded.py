"""Qdrant's own engine in this process, on disk: qdrant-edge. One process owns the folder."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import qdrant_edge as edge

from connectors.qdrant import folder
from connectors.qdrant.engine import Condition, Found, Upsert
from connectors.qdrant.folder import of_engine, said
from connectors.qdrant.layout import VECTOR
from connectors.qdrant.packing import filter_of, pack, packed_fields, unpack
from core.errors import FatalError, RefusedError
from core.failpoints import failpoint
from core.records import Point, Vector

_PAGE: Final = 1_000
#: Points between two flushes of the segments: as many are read again from the log at a start after a crash, 1 to 2 s.
_FLUSH_POINTS: Final = 10_000


class EdgeEngine:
    """Implements `connectors.qdrant.engine.Engine`. The folder must be ours (`connectors.qdrant.ownership`)."""

    def __init__(self, path: Path, *, dimension: int) -> None:
        """Open the folder, or create it for vectors of `dimension`.

        Raises:
            ConfigError: it was made for another dimension, or what lies there can't be read.
        """
        self._dimension = folder.require_dimension(path, dimension)
        self._shard = folder.open_shard(path, dimension)
        self._folder = folder.shard_of(path)
        self._writing = threading.Lock()
        self._unflushed = 0
        self._closed = False

    @property
    def dimension(self) -> int:
        """See `Engine`."""
        return self._dimension

    def write(self, upserts: Sequence[Upsert]) -> None:
        """See `Engine`."""
        try:
            operations = [
                edge.UpdateOperation.upsert_points([_point(point) for point in upsert.points], condition=_below(upsert))
                for upsert in upserts
            ]
        except (TypeError, ValueError, OverflowError) as error:  # their messages may quote the ticket
            raise RefusedError(f"the embedded index can't hold it ({type(error).__name__})") from None
        with self._writing:
            if self._closed:
                raise FatalError("the index is closed")
            with _fatal():
                for operation in operations:
                    self._shard.update(operation)
                if operations:
                    failpoint("after_send")
                    self._make_durable(sum(len(upsert.points) for upsert in upserts))

    def lookup(self, ids: Sequence[str], fields: Sequence[str]) -> dict[str, dict[str, Any]]:
        """See `Engine`."""
        with _fatal():
            found = self._shard.retrieve(list(ids), packed_fields(fields), False) if ids else []
        return {str(record.id): unpack(record.payload, fields) for record in found}

    def nearest(self, vector: Vector, conditions: Sequence[Condition], limit: int) -> list[Found]:
        """See `Engine`."""
        request = edge.QueryRequest(
            limit=limit,
            query=edge.Query.Nearest(vector.tolist(), using=VECTOR),
            filter=filter_of(conditions),
            with_payload=True,
        )
        with _fatal():
            found = self._shard.query(request)
        return [Found(str(point.id), unpack(point.payload), point.score) for point in found]

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
                filter=filter_of(conditions, unless),
                with_payload=True if fields is None else packed_fields(fields),
                with_vector=vectors,
            )
            with _fatal():
                records, offset = self._shard.scroll(request)
            for record in records:
                named: Any = record.vector or {}
                yield Found(str(record.id), unpack(record.payload, fields), vector=named.get(VECTOR))
            if offset is None:
                return

    def count(self, conditions: Sequence[Condition]) -> int:
        """See `Engine`."""
        with _fatal():
            return self._shard.count(edge.CountRequest(exact=True, filter=filter_of(conditions)))

    def close(self) -> None:
        """Flush, and let the folder go."""
        with self._writing:
            if not self._closed:
                self._closed = True
                self._shard.flush()
                self._shard.close()

    def _make_durable(self, points: int) -> None:
        """To the disk before anybody is told: after the ack nobody reads the record again, power cut or not.

        The write-ahead log is enough for that, and some thirty times cheaper than a flush of the segments, which
        holds every Python thread for 30 ms and more.
        """
        folder.sync_log(self._folder)
        self._unflushed += points
        if self._unflushed >= _FLUSH_POINTS:
            self._shard.flush()
            self._unflushed = 0


@contextmanager
def _fatal() -> Iterator[None]:
    """The engine's own exceptions as ours: a full disk, a damaged file, a bug. None of them passes by waiting."""
    try:
        yield
    except OSError as error:
        raise FatalError(f"the embedded index: {error.strerror}") from error
    except BaseException as error:
        if not of_engine(error):
            raise
        raise FatalError(f"the embedded index: {said(error)}") from error


def _point(point: Point) -> edge.Point:
    vector: Any = {} if point.vector is None else {VECTOR: point.vector.tolist()}
    return edge.Point(point.id, vector, pack(point.payload))


def _below(upsert: Upsert) -> edge.Filter:
    return edge.Filter(must=[edge.FieldCondition(key="version", range=edge.RangeFloat(lt=upsert.below))])
