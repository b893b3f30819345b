"""The quality of a label model on held-out tickets."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from core.records import LabelKind, SparseVector, Vector
from models.labels.fit import Evidence
from models.labels.linear import NEVER, LinearHead
from models.labels.thresholds import Flags
from models.labels.words import Floats

_BINS: Final = 15


class LabelReport(Struct, frozen=True, kw_only=True):
    """One label. `precision` is None if no ticket gets the label.

    Attributes:
        tickets: number of tickets that have the label.
        given: number of tickets that get it.
        right: number of tickets that get it and have it.
        threshold: minimum confidence at which it is given; None if it never is.
    """

    label: str
    tickets: int
    given: int
    right: int
    threshold: float | None

    @property
    def precision(self) -> float | None:
        """Share of the tickets that get the label and have it."""
        return self.right / self.given if self.given else None


class KindReport(Struct, frozen=True, kw_only=True):
    """All labels of a kind.

    Attributes:
        accuracy: share of tickets whose most probable label is right, at any confidence.
        ece: expected calibration error: mean distance of confidence and accuracy in 15 bins of equal width.
        coverage: share of tickets that get a label.
        precision: share of those whose label is right; None if none gets one.
    """

    kind: LabelKind
    tickets: int
    accuracy: float
    ece: float
    coverage: float
    precision: float | None
    labels: tuple[LabelReport, ...]


def report_evidence(kind: LabelKind, head: LinearHead, evidence: Evidence) -> KindReport:
    """The report on `head` from the held-out folds."""
    given = evidence.confidence >= head.thresholds[evidence.predicted]
    right, own = evidence.right, evidence.own
    hits = int((given & right).sum())
    return KindReport(
        kind=kind,
        tickets=len(own),
        accuracy=float(right.mean()),
        ece=calibration_error(evidence.confidence, right),
        coverage=float(given.mean()),
        precision=hits / int(given.sum()) if given.any() else None,
        labels=tuple(
            LabelReport(
                label=name,
                tickets=int((own == at).sum()),
                given=int((given & (evidence.predicted == at)).sum()),
                right=int((given & right & (evidence.predicted == at)).sum()),
                threshold=None if head.thresholds[at] >= NEVER else float(head.thresholds[at]),
            )
            for at, name in enumerate(head.names)
        ),
    )


def judge(head: LinearHead, vectors: Vector, terms: Sequence[SparseVector | None], labels: Sequence[str]) -> Evidence:
    """The predictions of `head` for held-out tickets. A label that it doesn't know counts as wrong."""
    ranks = {name: rank for rank, name in enumerate(head.names)}
    predicted, confidence = head.best(vectors, terms)
    return Evidence(np.array([ranks.get(label, -1) for label in labels], np.intp), predicted, confidence)


def calibration_error(confidence: Floats, right: Flags) -> float:
    """Expected calibration error (Naeini et al. 2015): the bins' distances, weighted by their tickets."""
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    distances = np.bincount(bins, weights=confidence - right, minlength=_BINS)
    return float(np.abs(distances).sum() / len(confidence))
