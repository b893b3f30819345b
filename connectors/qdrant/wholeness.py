"""Checks that an embedded index still has all of its points.

The engine opens a shard with truncated or missing files, as after a disk fault, without an error: points or vectors are
then missing. So `index.json` holds a lower bound of the number of points, noted when the index is opened or closed.
"""

from pathlib import Path
from typing import Final

import qdrant_edge as edge

from connectors.qdrant import folder
from connectors.qdrant.engine import AnyOf
from connectors.qdrant.layout import LIVE, VECTOR
from connectors.qdrant.packing import filter_of
from connectors.qdrant.place import Place
from connectors.qdrant.shard import START_OVER, translated
from core.errors import ConfigError

#: Number of passages whose vectors are looked at.
_SAMPLE: Final = 64


def require_whole(shard: edge.EdgeShard, path: Path) -> int:
    """Check a shard of the index in `path`, and return its exact number of points.

    Raises:
        ConfigError: it has fewer points than it had, or passages without vectors.
    """
    found, noted = count_of(shard), folder.noted_points(path)
    if found < noted:
        raise _damaged(path, f"has {found:,} points, and had {noted:,}")
    live = edge.ScrollRequest(limit=_SAMPLE, filter=filter_of([AnyOf("state", (LIVE,))]), with_vector=True)
    records, _next = shard.scroll(live)
    if any(not isinstance(record.vector, dict) or VECTOR not in record.vector for record in records):
        raise _damaged(path, "has passages without vectors")
    return found


def open_whole(path: Path, dimension: int) -> edge.EdgeShard:
    """Open the shard of the index in `path`, creating it if it is missing, and note its number of points.

    Raises:
        ConfigError: it was created for another dimension, or is damaged.
    """
    shard = folder.open_shard(path, dimension)
    try:
        with translated():
            folder.note_points(path, require_whole(shard, path))
    except BaseException:
        shard.close()
        raise
    return shard


def note_count(shard: edge.EdgeShard, place: Place) -> None:
    """Note the number of points of the shard at `place`."""
    if place.is_held():  # otherwise another index is there
        with translated():
            folder.note_points(place.path.parent, count_of(shard))


def note_fewer(place: Place, points: int) -> None:
    """Lower the noted bound of the shard at `place` before points are deleted. Counting a large shard takes long."""
    if place.is_held():
        with translated():
            folder.note_points(place.path.parent, max(0, folder.noted_points(place.path.parent) - points))


def count_of(shard: edge.EdgeShard) -> int:
    """Exact number of points."""
    return shard.count(edge.CountRequest(exact=True))


def _damaged(path: Path, how: str) -> ConfigError:
    return ConfigError(
        f"TICKETS_INDEX__PATH: the index in {path} {how}: files of it are damaged or missing; restore a backup, or "
        f"{START_OVER}"
    )
