"""Category and priority from the nearest labelled examples: no second model, the vector is there already."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from core.protocols import Embedder
from core.records import EmbeddedTicket, Example, Label, Rejected, Vector

_SLICE: Final = 256
#: Examples that vote.
NEIGHBOURS: Final = 5
#: Similarities are rounded so far that float noise between batch sizes can't turn an order around.
_DECIMALS: Final = 4


class _Labels(Struct, frozen=True):
    """The labels of one kind, by the examples that have one.

    Attributes:
        at: int[m], which examples these are.
        rank: int[m], each one's label as an index into `names`.
        names: the labels, sorted.
    """

    at: NDArray[np.intp]
    rank: NDArray[np.intp]
    names: tuple[str, ...]


class Examples:
    """Labelled vectors: float32[n, dim] beside n labels of each kind."""

    def __init__(self, vectors: Vector, rows: Sequence[Example]) -> None:
        self._vectors = vectors
        self._labels = {
            "category": _labels([row.category for row in rows]),
            "priority": _labels([row.priority for row in rows]),
        }

    @classmethod
    def load(cls, rows: Sequence[Example], *, embedder: Embedder) -> "Examples":
        """Embed the examples' texts, a slice at a time."""
        slices = [embedder.embed([r.text for r in rows[at : at + _SLICE]]) for at in range(0, len(rows), _SLICE)]
        empty = np.empty((0, embedder.dimension), np.float32)
        return cls(np.concatenate([empty, *slices]), rows)

    def similarities(self, vector: Vector) -> Vector:
        """Cosine similarities float32[n] to `vector`, float32[dim]."""
        return np.round(self._vectors @ vector, _DECIMALS).astype(np.float32)

    def nearest(self, similarities: Vector, kind: str, neighbours: int) -> Label | None:
        """The label with most similarity among the `neighbours` nearest examples that have one of this kind.

        Its confidence is its share of their similarity, times the similarity of its own nearest example: a unanimous
        vote of examples that are far away is no certainty. Ties go to the label that sorts first.
        """
        labels = self._labels[kind]
        votes: dict[str, float] = defaultdict(float)
        best: dict[str, float] = {}
        found = similarities[labels.at]
        for n in _nearest(found, labels.rank, neighbours):
            name, similarity = labels.names[labels.rank[n]], max(0.0, float(found[n]))
            votes[name] += similarity
            best[name] = max(similarity, best.get(name, 0.0))
        total = sum(votes.values())
        if not total:
            return None
        winner = min(votes, key=lambda name: (-round(votes[name], _DECIMALS), name))
        return Label(winner, min(1.0, votes[winner] / total * best[winner]))


def _labels(column: Sequence[str | None]) -> _Labels:
    names = sorted({label for label in column if label is not None})
    ranks = {name: rank for rank, name in enumerate(names)}
    at = [n for n, label in enumerate(column) if label is not None]
    rank = [ranks[label] for label in column if label is not None]
    return _Labels(np.array(at, np.intp), np.array(rank, np.intp), tuple(names))


def _nearest(similarities: Vector, rank: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """The `most` nearest, best first; of equally near ones the label that sorts first, then the earlier example.

    Only those at least as near as the last one wanted are sorted: there may be thousands of examples.
    """
    enough = len(similarities) - most
    least = np.partition(similarities, enough)[enough] if enough > 0 else -np.inf
    near = np.flatnonzero(similarities >= least)
    return near[np.lexsort((near, rank[near], -similarities[near]))][:most]


def classify(
    items: Sequence[EmbeddedTicket],
    *,
    examples: Examples | None,
    min_confidence: float,
    neighbours: int = NEIGHBOURS,
) -> list[EmbeddedTicket | Rejected]:
    """Label what the producer left open, from the ticket's first passage: what the customer wants stands there."""
    if examples is None:
        return list(items)
    return [_classified(item, examples, neighbours, min_confidence) for item in items]


def _classified(item: EmbeddedTicket, examples: Examples, neighbours: int, min_confidence: float) -> EmbeddedTicket:
    content = item.enriched.ticket.content
    if content is None or not len(item.vectors) or (content.category and content.priority):
        return item
    similarities = examples.similarities(item.vectors[0])
    found: dict[str, Label] = {}
    for kind, given in (("category", content.category), ("priority", content.priority)):
        label = None if given else examples.nearest(similarities, kind, neighbours)
        if label is not None and label.confidence >= min_confidence:
            found[kind] = label
    return msgspec.structs.replace(item, **found) if found else item
