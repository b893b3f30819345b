"""One number for all an index holds, so that two can be compared."""

import hashlib
from typing import Final

import msgspec
import numpy as np

from connectors.index.layout import DELETED
from connectors.index.policy import VersionedIndex

#: Where a point's record lay is no part of what the index says: a duplicate lies elsewhere.
_LEFT_OUT: Final = "origin"
_DECIMALS: Final = 4


def digest(index: VersionedIndex) -> str:
    """sha256 over every point's id, payload and vector, in the order of ids; vectors to four decimals.

    Tombstones count where they stand for a ticket; one that stands for a chunk says no more than its absence would.
    """
    total = hashlib.sha256()
    for found in sorted(index.engine.scan([], vectors=True), key=lambda point: point.id):
        if found.payload["state"] == DELETED and found.payload["chunk"] != 0:
            continue
        payload = {name: value for name, value in found.payload.items() if name != _LEFT_OUT}
        rounded = None if found.vector is None else (np.round(found.vector, _DECIMALS) + 0.0).tolist()
        total.update(msgspec.json.encode([found.id, payload, rounded], order="sorted"))
    return total.hexdigest()
