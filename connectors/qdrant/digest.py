"""What an index says, in a form in which two can be compared."""

import hashlib
from typing import Any, Final

import msgspec
import numpy as np

from connectors.qdrant.layout import DELETED
from connectors.qdrant.policy import VersionedIndex

#: Where a point's record lay is no part of what the index says: a duplicate lies elsewhere.
_LEFT_OUT: Final = "origin"
_DECIMALS: Final = 4


def contents(index: VersionedIndex) -> dict[str, tuple[dict[str, Any], list[float] | None]]:
    """Payload and vector, to four decimals, of every point by id.

    Tombstones count where they stand for a ticket; one that stands for a chunk says no more than its absence would.
    """
    found = {}
    for point in index.engine.scan([], vectors=True):
        if point.payload["state"] == DELETED and point.payload["chunk"] != 0:
            continue
        payload = {name: value for name, value in point.payload.items() if name != _LEFT_OUT}
        rounded = None if point.vector is None else (np.round(point.vector, _DECIMALS) + 0.0).tolist()
        found[point.id] = (payload, rounded)
    return found


def digest(index: VersionedIndex) -> str:
    """sha256 over the contents, in the order of ids."""
    total = hashlib.sha256()
    for item in sorted(contents(index).items()):
        total.update(msgspec.json.encode(item, order="sorted"))
    return total.hexdigest()
