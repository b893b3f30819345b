"""Copies an embedded index into new files, and leaves out tombstones that no longer protect anything.

The engine never frees space: its files keep what was overwritten, and every deleted or shortened ticket leaves
tombstones, which are as large as other points. The copy has each point as it is stored, with all its vectors, except:

- Tombstones of chunks whose head has the same version or a later one. They are redundant: a write reads the head first.
- Tombstones of heads, if the caller lets deletes be forgotten, once they are old enough. They protect a deleted ticket
  from an older event that arrives late, so they may only go when none can arrive any more. A tombstone doesn't say when
  it was written. So the first compaction that meets it notes the time, in a field that nothing else reads.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import qdrant_edge as edge
from msgspec import Struct

from connectors.qdrant import folder
from connectors.qdrant.copying import size_of
from connectors.qdrant.embedded import EdgeReader
from connectors.qdrant.engine import NoIndexError
from connectors.qdrant.layout import DELETED, HEAD_FIELDS, Row, row_of
from connectors.qdrant.lock import take_lock
from connectors.qdrant.packing import packed_fields, unpack
from connectors.qdrant.provenance import ProvenanceReader
from connectors.qdrant.shard import load_shard, translated
from connectors.qdrant.space import SpaceGuard
from connectors.qdrant.syncing import sync_tree
from connectors.qdrant.wholeness import require_whole
from core.errors import FatalError, TransientError, UnavailableError
from core.identity import point_id

_PAGE: Final = 1_000
#: Points between flushes, as in `connectors.qdrant.embedded`.
_FLUSH_POINTS: Final = 10_000
#: Payload field of a head's tombstone: time at which a compaction first met it, in milliseconds since 1970.
_MET: Final = "tombstone_met_ms"

_FIELDS: Final = (*HEAD_FIELDS, "chunk")

#: Called with the number of points done and the number of all.
Watch = Callable[[int, int], None]


class Compacted(Struct, frozen=True, kw_only=True):
    """The result of a compaction.

    Attributes:
        points: in the new files.
        chunk_tombstones: left out.
        deletes: tombstones of deleted tickets that were kept.
        deletes_forgotten: tombstones of deleted tickets that were left out.
        bytes_before: disk space of the old files.
        bytes_after: disk space of the new files.
    """

    points: int
    chunk_tombstones: int
    deletes: int
    deletes_forgotten: int
    bytes_before: int
    bytes_after: int


def compact_folder(
    path: Path,
    *,
    min_free_mib: int,
    now_ms: int,
    forget_after_ms: int | None = None,
    watch: Watch = lambda _done, _total: None,
) -> Compacted:
    """Replace the files of the index in `path` by compact ones, in one step. No process may be using it.

    If it fails or is interrupted, the index stays as it was, and the next call removes the leftovers.

    Args:
        path: the index's folder.
        min_free_mib: free space that is kept.
        now_ms: the time, in milliseconds since 1970.
        forget_after_ms: forget deletes that a compaction met this long ago or longer; None keeps them all.
        watch: shows progress.

    Raises:
        NoIndexError: there is no index.
        InUseError: another process is using it.
        ConfigError: it is damaged.
        UnavailableError: the disk has no room for the copy.
    """
    dimension = folder.dimension_of(path)
    if dimension is None:
        raise NoIndexError(f"TICKETS_INDEX__PATH: there is no index in {path}, so nothing was compacted")
    lock = take_lock(path)
    try:
        space = SpaceGuard(path, reserve_mib=min_free_mib)
        space.require_at_start()
        built = path / folder.COMPACTED
        _remove(built)
        built.mkdir(0o700)
        try:
            sieve = _Sieve(now_ms, forget_after_ms)
            return _replace(path, built, dimension=dimension, sieve=sieve, space=space, watch=watch)
        except TransientError as error:
            raise UnavailableError(f"{error}; the index is unchanged") from None
        finally:
            _remove(built)
    finally:
        lock.release()


def _replace(path: Path, built: Path, *, dimension: int, sieve: "_Sieve", space: SpaceGuard, watch: Watch) -> Compacted:
    shard = folder.shard_of(path)
    with translated():
        old = load_shard(shard)
        try:
            require_whole(old, path)
            origin = ProvenanceReader(EdgeReader(old, dimension=dimension)).read()
            sieve.created_ms = 0 if origin is None else origin.created_ms
            new = folder.open_shard(built, dimension)
            try:
                points = _copy(old, new, sieve, space, watch)
                new.flush()
            finally:
                new.close()
        finally:
            old.close()
        made = folder.shard_of(built)
        sync_tree(made)
    before, after = size_of(shard), size_of(made)
    folder.take_over(path, built)
    return Compacted(
        points=points,
        chunk_tombstones=sieve.chunks,
        deletes=sieve.deletes,
        deletes_forgotten=sieve.forgotten,
        bytes_before=before,
        bytes_after=after,
    )


def _copy(old: edge.EdgeShard, new: edge.EdgeShard, sieve: "_Sieve", space: SpaceGuard, watch: Watch) -> int:
    """Copy the points that the sieve lets pass, and return their number."""
    total, done, copied, unflushed = old.count(edge.CountRequest(exact=True)), 0, 0, 0
    for records in _pages(old):
        points = sieve.passing(records, old)
        space.require()
        if points:
            new.update(edge.UpdateOperation.upsert_points(points))
        done, copied, unflushed = done + len(records), copied + len(points), unflushed + len(points)
        if unflushed >= _FLUSH_POINTS:
            new.flush()
            unflushed = 0
        watch(done, total)
    held = new.count(edge.CountRequest(exact=True))
    if done != total or held != copied:
        raise FatalError(
            f"the index has {total:,} points, of which {done:,} were read, and the copy has {held:,} instead "
            f"of {copied:,}: the index is unchanged, please report this"
        )
    return copied


def _pages(shard: edge.EdgeShard) -> Iterator[list[edge.Record]]:
    """Every point, whole."""
    offset: edge.PointId | None = None
    while True:
        records, offset = shard.scroll(
            edge.ScrollRequest(offset=offset, limit=_PAGE, with_payload=True, with_vector=True)
        )
        yield records
        if offset is None:
            return


class _Sieve:
    """Decides which points are copied, and counts the others."""

    def __init__(self, now_ms: int, forget_after_ms: int | None) -> None:
        self._now_ms = now_ms
        self._forget_after_ms = forget_after_ms
        #: When the index was created. An earlier time in a tombstone comes from a clock that was behind.
        self.created_ms = 0
        self.chunks = 0
        self.deletes = 0
        self.forgotten = 0

    def passing(self, records: Sequence[edge.Record], old: edge.EdgeShard) -> list[edge.Point]:
        """The points of `records` (of the shard `old`) that are copied."""
        tombstones = {record.id: row for record in records if (row := _tombstone(record)) is not None}
        superseded = self._superseded(tombstones, old)
        points = []
        for record in records:
            payload = dict(record.payload or {})
            row = tombstones.get(record.id)
            if row is not None and row.chunk == 0 and not self._keeps_delete(payload):
                self.forgotten += 1
            elif record.id in superseded:
                self.chunks += 1
            else:
                points.append(edge.Point(record.id, record.vector or {}, payload))
        return points

    def _keeps_delete(self, payload: dict[str, object]) -> bool:
        """Whether the tombstone of a head is kept; notes the time of the first meeting in its payload."""
        met_ms = payload.setdefault(_MET, self._now_ms)
        forgotten = (
            self._forget_after_ms is not None
            and isinstance(met_ms, int)
            and self._now_ms - max(met_ms, self.created_ms) >= self._forget_after_ms
        )
        self.deletes += not forgotten
        return not forgotten

    def _superseded(self, tombstones: "dict[edge.PointId, Row]", old: edge.EdgeShard) -> "set[edge.PointId]":
        """The tombstones of chunks whose head has their version or a later one."""
        heads = {id_: point_id(row.tenant_id, row.ticket_id, 0) for id_, row in tombstones.items() if row.chunk > 0}
        if not heads:
            return set()
        found = old.retrieve([*{*heads.values()}], packed_fields(["version"]), False)
        versions = {str(record.id): row.get("version") for record in found if (row := unpack(record.payload))}
        return {
            id_
            for id_, head in heads.items()
            if isinstance(version := versions.get(head), int) and version >= tombstones[id_].version
        }


def _tombstone(record: edge.Record) -> Row | None:
    """The row of a tombstone. Points of the index's provenance look like tombstones, with a chunk below 0."""
    if record.vector:
        return None
    row = row_of(unpack(record.payload, _FIELDS))
    return row if row.state == DELETED and row.chunk >= 0 else None


def _remove(built: Path) -> None:
    if built.exists():
        shutil.rmtree(built)
