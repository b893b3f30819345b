"""Category and priority from the nearest labelled examples: no second model, the vector is there already."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from core.ports import Embedder
from core.records import EmbeddedTicket, Example, Label, Rejected, Vector

_SLICE: Final = 256
#: Similarities are rounded so far that float noise between batch sizes can't turn an order around.
_DECIMALS: Final = 4


class Examples:
    """Labelled vectors: float32[n, dim] beside n labels of each kind."""

    def __init__(self, vectors: Vector, rows: Sequence[Example]) -> None:
        self._vectors = vectors
        self._labels = {
            "category": [row.category for row in rows],
            "priority": [row.priority for row in rows],
        }

    @classmethod
    def load(cls, rows: Sequence[Example], *, embedder: Embedder) -> "Examples":
        """Embed the examples' texts, a slice at a time."""
        slices = [embedder.embed([r.text for r in rows[at : at + _SLICE]]) for at in range(0, len(rows), _SLICE)]
        empty = np.empty((0, embedder.dimension), np.float32)
        return cls(np.concatenate([empty, *slices]), rows)

    def similarities(self, vectors: Vector) -> Vector:
        """Cosine similarities float32[len(vectors), n]."""
        return np.round(vectors @ self._vectors.T, _DECIMALS).astype(np.float32)

    def nearest(self, similarities: Vector, kind: str, neighbours: int) -> Label | None:
        """The label with most similarity among the `neighbours` nearest examples that have one of this kind.

        Its confidence is its share of their similarity, times the similarity of its own nearest example: a unanimous
        vote of examples that are far away is no certainty. Ties go to the label that sorts first.
        """
        labels = self._labels[kind]
        labelled = [n for n, label in enumerate(labels) if label is not None]
        chosen = sorted(labelled, key=lambda n: (-float(similarities[n]), labels[n], n))[:neighbours]
        votes: dict[str, float] = defaultdict(float)
        best: dict[str, float] = {}
        for n in chosen:
            label, similarity = labels[n] or "", max(0.0, float(similarities[n]))
            votes[label] += similarity
            best[label] = max(similarity, best.get(label, 0.0))
        total = sum(votes.values())
        if not total:
            return None
        winner = min(votes, key=lambda label: (-round(votes[label], _DECIMALS), label))
        return Label(winner, min(1.0, votes[winner] / total * best[winner]))


def classify(
    items: Sequence[EmbeddedTicket], *, examples: Examples | None, neighbours: int, min_confidence: float
) -> list[EmbeddedTicket | Rejected]:
    """Label what the producer left open, from the ticket's first passage: what the customer wants stands there."""
    if examples is None:
        return list(items)
    return [_classified(item, examples, neighbours, min_confidence) for item in items]


def _classified(item: EmbeddedTicket, examples: Examples, neighbours: int, min_confidence: float) -> EmbeddedTicket:
    content = item.enriched.ticket.content
    if content is None or not len(item.vectors) or (content.category and content.priority):
        return item
    similarities = examples.similarities(item.vectors[:1])[0]
    found: dict[str, Label] = {}
    for kind, given in (("category", content.category), ("priority", content.priority)):
        label = None if given else examples.nearest(similarities, kind, neighbours)
        if label is not None and label.confidence >= min_confidence:
            found[kind] = label
    return msgspec.structs.replace(item, **found) if found else item
