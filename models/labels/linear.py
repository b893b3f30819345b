"""A label model in memory: category and priority by one matrix product, with calibrated confidences."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from core.records import Label, LabelKind, SparseVector, Vector
from models.labels.words import Floats, Integers, WordWeights

#: Confidences are rounded before they are compared, so that float noise between machines changes no label.
DECIMALS: Final = 4
#: A threshold that no confidence reaches.
NEVER: Final = 2.0
_TINY: Final = 1e-12
#: Log-odds beyond which the confidence is 0 or 1.
_MOST_ODDS: Final = 100.0


class Calibration(Struct, frozen=True):
    """Platt scaling: the log-odds of a right label are `slope` times those of its probability, plus `offset`.

    Platt 1999, "Probabilistic outputs for support vector machines".
    """

    slope: float = 1.0
    offset: float = 0.0

    def confidence(self, probability: Floats) -> Floats:
        """The share of labels with this probability that are right, to four decimals."""
        odds = np.clip(self.slope * log_odds(probability) + self.offset, -_MOST_ODDS, _MOST_ODDS)
        return np.round(1 / (1 + np.exp(-odds)), DECIMALS)

    def confidence_of(self, probability: float) -> float:
        """Like `confidence`, for one label, in a tenth of the time."""
        clipped = min(max(probability, _TINY), 1 - _TINY)
        odds = self.slope * math.log(clipped / (1 - clipped)) + self.offset
        return round(1 / (1 + math.exp(-min(max(odds, -_MOST_ODDS), _MOST_ODDS))), DECIMALS)


class LinearHead(Struct, frozen=True, eq=False):
    """A linear classifier of the labels of one kind.

    Attributes:
        names: the n labels, sorted.
        weights: float64[dim, n].
        bias: float64[n].
        thresholds: float64[n], the minimum confidence of each label.
        words: weights of words, if they improve on the vector alone.
    """

    names: tuple[str, ...]
    weights: Floats
    bias: Floats
    calibration: Calibration
    thresholds: Floats
    words: WordWeights | None = None

    def logits(self, vector: Floats, terms: SparseVector | None) -> Floats:
        """float64[n] for float64[dim] and the terms of the same passage."""
        found: Floats = vector @ self.weights + self.bias
        return found if self.words is None or terms is None else found + self.words.logits(terms)

    def best(self, vectors: Vector, terms: Sequence[SparseVector | None]) -> tuple[Integers, Floats]:
        """The most probable label of each of float[m, dim], as an index into `names`, and its confidence."""
        wide = vectors.astype(np.float64)
        logits = [self.logits(vector, found) for vector, found in zip(wide, terms, strict=True)]
        probability, at = most_probable(np.array(logits).reshape(-1, len(self.names)))
        return at, self.calibration.confidence(probability)


class LabelModel:
    """Implements `core.protocols.Labeller`."""

    def __init__(self, heads: Mapping[LabelKind, LinearHead], *, stamp: str) -> None:
        self.heads = heads
        self.stamp = stamp

    def labels(self, vector: Vector, terms: SparseVector | None, kinds: Sequence[LabelKind]) -> dict[LabelKind, Label]:
        """See `Labeller`. Vectors are multiplied one by one: the result must not depend on the batch."""
        found: dict[LabelKind, Label] = {}
        wide = vector.astype(np.float64)
        for kind in kinds:
            head = self.heads.get(kind)
            if head is None:
                continue
            logits = head.logits(wide, terms)
            at = int(logits.argmax())
            confidence = head.calibration.confidence_of(1 / float(np.exp(logits - logits[at]).sum()))
            if confidence >= head.thresholds[at]:
                found[kind] = Label(head.names[at], confidence)
        return found


def most_probable(logits: Floats) -> tuple[Floats, Integers]:
    """The highest probability of each row of float64[m, n], and which one it is."""
    at = logits.argmax(axis=1)
    above = logits - logits[np.arange(len(logits)), at][:, None]
    return 1 / np.exp(above).sum(axis=1), at


def log_odds(probability: Floats) -> Floats:
    """ln(p / (1 - p)), finite."""
    clipped = np.clip(probability, _TINY, 1 - _TINY)
    found: Floats = np.log(clipped / (1 - clipped))
    return found
