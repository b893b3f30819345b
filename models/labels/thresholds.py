"""Thresholds from a wanted precision: the least confidence at which a label's tickets are right often enough."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.labels.linear import NEVER, Floats, Integers

#: The precision of each label is at least the wanted one with this probability.
SURENESS: Final = 0.8
#: A label with few tickets leans on the others: their precision at its threshold counts as so many tickets.
_PRIOR: Final = 20.0
Flags = NDArray[np.bool_]


def choose_thresholds(
    predicted: Integers, confidence: Floats, right: Flags, *, labels: int, precision: float
) -> Floats:
    """float64[labels]: for each label the lowest threshold that keeps `precision`, or NEVER.

    Args:
        predicted: int[n], the label of each ticket, from a model that was not fitted to it.
        confidence: float64[n].
        right: bool[n], whether it is the ticket's own label.
        labels: number of labels.
        precision: the share of a label's tickets at or above its threshold that must be right.

    The share that was right in the sample would favour lucky thresholds. So a threshold is taken where the lower
    bound of a beta posterior reaches `precision`; its prior is the precision of all labels at the same confidence.
    """
    order = np.argsort(-confidence, kind="stable")
    shares = (np.cumsum(right[order]) + _PRIOR * precision) / (np.arange(1, len(order) + 1) + _PRIOR)
    everywhere = -confidence[order], shares
    thresholds = np.full(labels, NEVER)
    for label in np.unique(predicted):
        own = order[predicted[order] == label]
        thresholds[label] = _threshold(confidence[own], right[own], everywhere, precision)
    return thresholds


def _threshold(confidence: Floats, right: Flags, everywhere: tuple[Floats, Floats], precision: float) -> float:
    """Of one label: its tickets by falling confidence, and the precision of all labels likewise."""
    last = np.flatnonzero(np.append(confidence[1:] < confidence[:-1], True))  # equal confidences stand or fall together
    at, hits = last + 1, np.cumsum(right)[last]
    falling, shares = everywhere
    prior = shares[np.searchsorted(falling, -confidence[last], side="right") - 1]
    kept = lower_bound(hits + _PRIOR * prior, at - hits + _PRIOR * (1 - prior)) >= precision
    return float(confidence[last[np.flatnonzero(kept)[-1]]]) if kept.any() else NEVER


def lower_bound(hits: Floats, misses: Floats) -> Floats:
    """The bound that a precision exceeds with the probability SURENESS, after so many hits and misses."""
    from scipy.stats import beta  # noqa: PLC0415 - installed for training only

    found: Floats = beta.ppf(1 - SURENESS, np.maximum(hits, 1e-9), np.maximum(misses, 1e-9))
    return found
