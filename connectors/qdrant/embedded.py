"""The embedded engine: qdrant-edge, which is Qdrant's own engine in this process. One process can open a folder."""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import qdrant_edge as edge

from connectors.qdrant import folder
from connectors.qdrant.changes import ChangedPoints
from connectors.qdrant.edge_points import (
    edge_point,
    passages_of,
    query_of,
    scores_of,
    terms_of,
    vector_of,
    where_below,
)
from connectors.qdrant.engine import Condition, Found, FoundPassage, PointKey, Retrieval, Stored, Upsert
from connectors.qdrant.layout import STATE_FIELDS
from connectors.qdrant.packing import filter_of, packed_fields, point_ids, unpack
from connectors.qdrant.place import place_of
from connectors.qdrant.shard import translated
from connectors.qdrant.space import MIN_FREE_MIB, SpaceGuard
from connectors.qdrant.syncing import sync_log
from connectors.qdrant.wholeness import note_count, note_fewer, open_whole
from core.errors import ConfigError, FatalError, RefusedError, TransientError
from core.failpoints import failpoint

logger: Final = logging.getLogger("ticketstream.index")

_PAGE: Final = 1_000
#: Maximum wait of a write, in seconds. A copy of the files may take longer, and then counts as an outage, not a hang.
_WAIT_S: Final = 10.0
#: Points between flushes of the segments. A start after a crash replays up to this many from the log, in 1 to 2 s.
_FLUSH_POINTS: Final = 10_000
#: Maximum heads whose version and state are remembered, each in some 450 bytes.
_MAX_HEADS: Final = 32_768


class EdgeReader:
    """Implements `connectors.qdrant.engine.EngineReader` on an open shard."""

    def __init__(self, shard: edge.EdgeShard, *, dimension: int, has_terms: bool = True) -> None:
        self._shard = shard
        self._dimension = dimension
        self._has_terms = has_terms

    @property
    def dimension(self) -> int:
        """See `EngineReader`."""
        return self._dimension

    def lookup(self, ids: Sequence[str], fields: Sequence[str]) -> dict[str, Stored]:
        """See `EngineReader`."""
        with translated():
            found = self._shard.retrieve(point_ids(ids), packed_fields(fields), False) if ids else []
        return {str(record.id): unpack(record.payload, fields) for record in found}

    def search(self, retrievals: Sequence[Retrieval]) -> list[list[FoundPassage]]:
        """See `EngineReader`."""
        return [passages_of(found) for found in self._ask(retrievals, payload=True)]

    def scores(self, retrievals: Sequence[Retrieval]) -> list[dict[PointKey, float]]:
        """See `EngineReader`."""
        return [scores_of(found) for found in self._ask(retrievals, payload=False)]

    def scan(
        self,
        conditions: Sequence[Condition],
        unless: Sequence[Condition] = (),
        *,
        fields: Sequence[str] | None = None,
        vectors: bool = False,
        majority: bool = False,  # noqa: ARG002 - there are no replicas
    ) -> Iterator[Found]:
        """See `EngineReader`."""
        offset: edge.PointId | None = None
        while True:
            request = edge.ScrollRequest(
                offset=offset,
                limit=_PAGE,
                filter=filter_of(conditions, unless),
                with_payload=packed_fields(fields),
                with_vector=vectors,
            )
            with translated():
                records, offset = self._shard.scroll(request)
            for record in records:
                yield Found(str(record.id), unpack(record.payload, fields), vector_of(record), terms_of(record))
            if offset is None:
                return

    def _ask(self, retrievals: Sequence[Retrieval], *, payload: bool) -> list[list[edge.ScoredPoint]]:
        asked = {
            number: query_of(one, payload=payload)
            for number, one in enumerate(retrievals)
            if self._has_terms or not one.by_words
        }
        with translated():
            found = self._shard.query_batch(edge.QueryBatchRequest([*asked.values()])) if asked else []
        answers = dict(zip(asked, found, strict=True))
        return [answers.get(number, []) for number in range(len(retrievals))]

    def count(self, conditions: Sequence[Condition]) -> int:
        """See `EngineReader`."""
        with translated():
            return self._shard.count(edge.CountRequest(exact=True, filter=filter_of(conditions)))

    def close(self) -> None:
        """See `EngineReader`."""
        self._shard.close()


class EdgeEngine(EdgeReader):
    """Implements `connectors.qdrant.engine.Engine` on an open shard, whose folder this process has locked."""

    def __init__(self, shard: edge.EdgeShard, *, path: Path, dimension: int, space: SpaceGuard | None = None) -> None:
        """Write to `shard`, in the folder `path`; without `space`, the default reserve is kept."""
        super().__init__(shard, dimension=dimension)
        self.space = space or SpaceGuard(path.parent)
        self._place = place_of(path)
        self._writing = threading.Lock()
        self._unflushed = 0
        self._closed = False
        #: Version and state of the heads that were looked up since the last write, by id; None during a write.
        self._heads: dict[str, Stored] | None = {}
        #: Number of points written since the index was opened, and their ids while a copy of the shard is indexed.
        self.written = 0
        self.changed = ChangedPoints()

    def lookup(self, ids: Sequence[str], fields: Sequence[str]) -> dict[str, Stored]:
        """See `EngineReader`. The fields of a head that a search reads are remembered until the next write.

        A result that a write overtakes goes to a dictionary that the write has put away.
        """
        heads = self._heads
        if heads is None or fields != STATE_FIELDS:
            return super().lookup(ids, fields)
        found = {one: heads[one] for one in ids if one in heads}
        read = super().lookup([one for one in ids if one not in found], fields)
        if len(heads) < _MAX_HEADS:
            heads.update(read)
        return found | read

    def write(self, upserts: Sequence[Upsert], *, ordered: bool = False) -> None:  # noqa: ARG002 - there are no replicas
        """See `Engine`."""
        try:
            operations = [
                edge.UpdateOperation.upsert_points(
                    [edge_point(point) for point in upsert.points], condition=where_below(upsert)
                )
                for upsert in upserts
            ]
        except (TypeError, ValueError, OverflowError) as error:  # their messages may quote the ticket
            raise RefusedError(f"the embedded index can't store the points ({type(error).__name__})") from None
        if operations:
            self._apply(operations, ids=[point.id for upsert in upserts for point in upsert.points])

    def delete(self, ids: Sequence[str], *, below: int) -> None:
        """See `Engine`."""
        if ids:
            note_fewer(self._place, len(ids))
            older = edge.FieldCondition(key="version", range=edge.RangeFloat(lt=below))
            wanted = edge.Filter(must=[edge.HasIdCondition({*ids}), older])
            self._apply([edge.UpdateOperation.delete_points_by_filter(wanted)], ids=ids)

    @contextmanager
    def exclusive(self, *, timeout_s: float = -1) -> Iterator[edge.EdgeShard]:
        """The shard, while nothing else writes to it. Searches go on. A negative timeout is none.

        Raises:
            TransientError, FatalError: others have it for longer than the timeout; it is closed.
        """
        if not self._writing.acquire(timeout=timeout_s):
            raise TransientError("its files are being copied, for a backup or to index its vectors")
        self._heads = None
        try:
            if self._closed:
                raise FatalError("the index is closed")
            with translated():
                yield self._shard
        finally:
            self._heads = {}
            self._writing.release()

    @property
    def closed(self) -> bool:
        """Whether `close` has closed it."""
        return self._closed

    def point_count(self) -> int:
        """Number of points, tombstones included; a good estimate, and quick."""
        with translated():
            return self._shard.info().points_count

    def points(self, ids: Sequence[str]) -> list[edge.Point]:
        """The points with these ids that exist, with vectors and payloads."""
        with translated():
            found = self._shard.retrieve(list(ids), True, True)
        return [edge.Point(record.id, record.vector or {}, record.payload) for record in found]

    def replace(self, shard: edge.EdgeShard, path: Path) -> None:
        """Use another shard, which is in the folder `path`, from now on. The caller is inside `exclusive`.

        A concurrent search may still use the old one, so it isn't closed here, but with its last reference.
        """
        self._shard, self._place = shard, place_of(path)
        self._unflushed = 0

    def _apply(self, operations: Sequence[edge.UpdateOperation], *, ids: Sequence[str]) -> None:
        """Apply operations that change these points."""
        with self.exclusive(timeout_s=_WAIT_S) as shard:
            self.space.require()
            self.written += len(ids)
            self.changed.add(ids)
            for operation in operations:
                shard.update(operation)
            failpoint("after_send")
            self._make_durable(len(ids))

    def close(self) -> None:
        """Flush and close the shard. Idempotent. It is left open if its files are being copied: the process ends."""
        if not self._writing.acquire(timeout=_WAIT_S):
            logger.warning("the index is being copied and left open, so the next start replays its log")
            return
        try:
            if not self._closed:
                self._closed = True
                self._flush_last()
                super().close()
        finally:
            self._writing.release()

    def _flush_last(self) -> None:
        """Flush if the disk has room. Without it nothing is lost: the next start replays the log."""
        try:
            self.space.require()
            with translated():
                self._shard.flush()
            note_count(self._shard, self._place)
        except (TransientError, FatalError, ConfigError) as error:
            logger.warning("the index is closed without a flush, so the next start replays its log: %s", error)

    def require_in_place(self) -> None:
        """See `Engine`. The engine itself would keep writing to files that were moved or deleted."""
        place = self._place
        if not place.is_held() and place is self._place:  # else another thread has just replaced the shard
            raise FatalError(f"the embedded index: its folder {place.path} was removed or replaced while it was in use")

    def _make_durable(self, points: int) -> None:
        """Sync the write-ahead log: once acked, a record is never read again, not even after a power failure.

        The log is enough, and some thirty times cheaper than a flush of the segments, which holds every Python thread
        for 30 ms and more.
        """
        self.require_in_place()
        sync_log(self._place.path)
        self._unflushed += points
        if self._unflushed >= _FLUSH_POINTS:
            self._shard.flush()
            self._unflushed = 0


def open_edge_engine(path: Path, *, dimension: int, min_free_mib: int = MIN_FREE_MIB) -> EdgeEngine:
    """Open the index in the folder `path`, creating it for vectors of `dimension`. The caller holds the folder's lock.

    Raises:
        ConfigError: the index was created for another dimension, or can't be read.
        UnavailableError: the folder's file system has less than `min_free_mib` free.
    """
    space = SpaceGuard(path, reserve_mib=min_free_mib)
    space.require_at_start()
    return EdgeEngine(open_whole(path, dimension), path=folder.shard_of(path), dimension=dimension, space=space)
