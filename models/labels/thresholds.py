"""Chooses thresholds for a wanted precision: for each label the lowest confidence that keeps it."""

from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.labels.linear import NEVER
from models.labels.words import Floats, Integers

Flags = NDArray[np.bool_]

#: Quantiles of a label's precision, tried in order until the precision of all labels together holds.
_SURENESS: Final = (0.5, 0.6, 0.7, 0.8, 0.9)
#: The quantile of the precision of all labels together that must hold.
_SURENESS_OF_ALL: Final = 0.8
#: Bounds of the prior's weight, in tickets. The prior of a label is the precision of all labels at the same confidence,
#: and it weighs less the more the labels differ.
_PRIOR: Final = (10.0, 200.0)
_PARTS: Final = 5
_SEED: Final = 7


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

    The share that was right in the sample would favour lucky thresholds. So a threshold is taken where a quantile of a
    beta posterior reaches `precision`; its prior is the precision of all labels at the same confidence. The quantile is
    the highest whose thresholds, chosen by four fifths of the tickets, keep `precision` on the rest.
    """
    choose = partial(_thresholds, labels=labels, precision=precision)
    part = np.random.default_rng(_SEED).permutation(len(predicted)) % _PARTS
    for sureness in _SURENESS:
        given = np.zeros(len(predicted), np.bool_)
        for number in range(_PARTS):
            rest, held_out = part != number, part == number
            found = choose(predicted[rest], confidence[rest], right[rest], sureness=sureness)
            given[held_out] = confidence[held_out] >= found[predicted[held_out]]
        hits, misses = np.count_nonzero(right & given), np.count_nonzero(~right & given)
        if not hits + misses or _quantile(hits + precision, misses + 1 - precision, _SURENESS_OF_ALL) >= precision:
            break
    return choose(predicted, confidence, right, sureness=sureness)


def _thresholds(
    predicted: Integers, confidence: Floats, right: Flags, *, labels: int, precision: float, sureness: float
) -> Floats:
    order, weight = np.argsort(-confidence, kind="stable"), _prior_weight(predicted, confidence, right)
    shares = np.cumsum(right[order]) / (np.arange(1, len(order) + 1) + 1)  # + 1: the first few alone prove nothing
    thresholds = np.full(labels, NEVER)
    for label in np.unique(predicted):
        own = order[predicted[order] == label]
        # a threshold can't separate equal confidences
        last = np.flatnonzero(np.append(confidence[own][1:] < confidence[own][:-1], True))
        levels, hits = confidence[own][last], np.cumsum(right[own])[last]
        prior = shares[np.searchsorted(-confidence[order], -levels, side="right") - 1]
        bound = _quantile(hits + weight * prior, last + 1 - hits + weight * (1 - prior), sureness)
        kept = np.flatnonzero(bound >= precision)
        if len(kept):
            thresholds[label] = levels[kept[-1]]
    return thresholds


def _prior_weight(predicted: Integers, confidence: Floats, right: Flags) -> float:
    """The other labels' worth in tickets of a label: 1 / c - 1 for a correlation c of hits within labels.

    By the method of moments: Pearson's statistic of the labels' hits is the number of labels if all are right as often
    as their confidence says, and grows with the correlation (Williams 1982, "Extra-binomial variation").
    """
    tickets, spread = np.bincount(predicted), np.bincount(predicted, weights=confidence * (1 - confidence))
    there = spread > 0
    excess = np.bincount(predicted, weights=right - confidence)[there]
    statistic = float((excess**2 / spread[there]).sum()) - len(excess)
    correlation = max(statistic / max(1.0, float((tickets[there] - 1).sum())), 1e-9)
    return float(np.clip(1 / correlation - 1, *_PRIOR))


def _quantile(hits: Floats | float, misses: Floats | float, sureness: float) -> Floats:
    """The value that a precision exceeds with the probability `sureness`, given hits and misses."""
    from scipy.stats import beta  # noqa: PLC0415 - installed for training only

    found: Floats = beta.ppf(1 - sureness, np.maximum(hits, 1e-9), np.maximum(misses, 1e-9))
    return found
