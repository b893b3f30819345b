"""The contents of an index in a canonical form, so that two indexes can be compared."""

import hashlib
from typing import Final

import msgspec
import numpy as np

from connectors.qdrant.engine import Stored
from connectors.qdrant.layout import DELETED
from connectors.qdrant.policy import VersionedIndex
from core.records import SparseVector

#: Left out, because a duplicate of an event has another offset.
_ORIGIN: Final = "origin"
_DECIMALS: Final = 4

#: Payload, vector and terms by point id.
Contents = dict[str, tuple[Stored, list[float] | None, dict[str, float]]]


def contents(index: VersionedIndex) -> Contents:
    """Payload, vector and terms, to four decimals, of every point by id.

    A ticket's tombstone is included. A chunk's is not, because it means the same as a missing point.
    """
    found: Contents = {}
    for point in index.engine.scan([], vectors=True):
        if point.payload["state"] == DELETED and point.payload["chunk"] != 0:
            continue
        payload = {name: value for name, value in point.payload.items() if name != _ORIGIN}
        rounded = None if point.vector is None else (np.round(point.vector, _DECIMALS) + 0.0).tolist()
        found[point.id] = (payload, rounded, _rounded(point.terms))
    return found


def _rounded(terms: SparseVector | None) -> dict[str, float]:
    if terms is None:
        return {}
    return dict(zip(map(str, terms.indices.tolist()), np.round(terms.values, _DECIMALS).tolist(), strict=True))


def digest(index: VersionedIndex) -> str:
    """sha256 over the contents, ordered by id."""
    total = hashlib.sha256()
    for item in sorted(contents(index).items()):
        total.update(msgspec.json.encode(item, order="sorted"))
    return total.hexdigest()
