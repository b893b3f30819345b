"""Category and priority by the nearest labelled examples, if there are too few to train a model."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from core.protocols import Embedder
from core.records import Example, Label, LabelKind, SparseVector, Vector

_SLICE: Final = 256
#: Number of examples that vote.
NEIGHBOURS: Final = 5
#: Similarities are rounded, so that float noise between batch sizes can't change their order.
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
    """Labelled vectors: float32[n, dim] beside n labels of each kind. Implements `core.protocols.Labeller`.

    Args:
        vectors: of the examples' texts.
        rows: the examples.
        min_confidence: a label with a lower confidence is left out.
        neighbours: examples that vote.
        model: stamp of the model that made the vectors.
    """

    def __init__(
        self,
        vectors: Vector,
        rows: Sequence[Example],
        *,
        min_confidence: float,
        neighbours: int = NEIGHBOURS,
        model: str = "",
    ) -> None:
        self._vectors = vectors
        self._min_confidence = min_confidence
        self._neighbours = neighbours
        self._labels: dict[LabelKind, _Labels] = {
            "category": _labels([row.category for row in rows]),
            "priority": _labels([row.priority for row in rows]),
        }
        what = msgspec.json.encode([model, neighbours, min_confidence, list(rows)])
        self.stamp = f"examples/{hashlib.sha256(what).hexdigest()[:12]}"

    @classmethod
    def load(
        cls, rows: Sequence[Example], *, embedder: Embedder, min_confidence: float, neighbours: int = NEIGHBOURS
    ) -> "Examples":
        """Embed the examples' texts, a slice at a time."""
        slices = [embedder.embed([r.text for r in rows[at : at + _SLICE]]) for at in range(0, len(rows), _SLICE)]
        vectors = np.concatenate([np.empty((0, embedder.dimension), np.float32), *slices])
        return cls(vectors, rows, min_confidence=min_confidence, neighbours=neighbours, model=embedder.stamp)

    def labels(
        self,
        vector: Vector,
        terms: SparseVector | None,  # noqa: ARG002 - examples are near in meaning
        kinds: Sequence[LabelKind],
    ) -> dict[LabelKind, Label]:
        """See `Labeller`."""
        similarities = self.similarities(vector)
        found = {kind: self.nearest(similarities, kind) for kind in kinds}
        return {kind: label for kind, label in found.items() if label and label.confidence >= self._min_confidence}

    def similarities(self, vector: Vector) -> Vector:
        """Cosine similarities float32[n] to `vector`, float32[dim]."""
        return np.round(self._vectors @ vector, _DECIMALS).astype(np.float32)

    def nearest(self, similarities: Vector, kind: LabelKind) -> Label | None:
        """The label with most similarity among the nearest examples that have one of this kind.

        Its confidence is its share of their similarity, times the similarity of its own nearest example: a unanimous
        vote of examples that are far away isn't certain. Ties go to the label that sorts first.
        """
        labels = self._labels[kind]
        votes: dict[str, float] = defaultdict(float)
        best: dict[str, float] = {}
        found = similarities[labels.at]
        for n in _nearest(found, labels.rank, self._neighbours):
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
    """The `most` nearest, best first; ties are ordered by label, then by position.

    Only those at least as near as the last one wanted are sorted: there may be thousands of examples.
    """
    enough = len(similarities) - most
    least = np.partition(similarities, enough)[enough] if enough > 0 else -np.inf
    near = np.flatnonzero(similarities >= least)
    return near[np.lexsort((near, rank[near], -similarities[near]))][:most]
