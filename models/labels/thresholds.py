"""Chooses thresholds for a wanted precision: for each label the lowest confidence that probably keeps it."""

from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from models.labels.linear import NEVER
from models.labels.words import Floats, Integers

Flags = NDArray[np.bool_]

#: How probable it must be that a label's precision holds: tried in order until that of all labels together holds.
_SURENESS: Final = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)
#: How probable it must be that the precision of all labels together holds.
_SURENESS_OF_ALL: Final = 0.8
#: Thresholds are whole thousandths.
_STEPS: Final = 1_000
#: Bounds of the prior's weight, in tickets: the more labels differ in how far they keep what they promise, the lower.
_PRIOR: Final = (10.0, 200.0)
#: Weight, in tickets, of all labels' precision beside what a label's own confidences promise.
_OTHERS: Final = 10.0
_PARTS: Final = 5
_SEED: Final = 7


def choose_thresholds(
    predicted: Integers, confidence: Floats, right: Flags, *, labels: int, precision: float
) -> Floats:
    """float64[labels]: for each label the lowest threshold that aims at `precision`, or NEVER.

    Args:
        predicted: int[n], the label of each ticket, from a model that was not fitted to it.
        confidence: float64[n], calibrated: the probability that the label is right.
        right: bool[n], whether it is the ticket's own label.
        labels: number of labels.
        precision: the share of a label's tickets at or above its threshold that must be right.

    The share that was right in the sample would favour lucky thresholds. So a threshold is where, by a beta posterior,
    `precision` holds with some probability. The prior is the precision of all labels at or above the same confidence,
    or what the label's own confidences promise there, if that is less. The probability is the lowest with which
    thresholds that are chosen by four fifths of the tickets are likely to keep `precision` on the rest, or else the
    highest that is tried.
    """
    part = np.random.default_rng(_SEED).permutation(len(predicted)) % _PARTS
    without = [
        _chances(predicted[part != n], confidence[part != n], right[part != n], labels, precision)
        for n in range(_PARTS)
    ]
    for sureness in _SURENESS:
        found = np.array([_lowest(one, sureness) for one in without])
        given = confidence >= found[part, predicted]
        hits, misses = np.count_nonzero(right & given), np.count_nonzero(~right & given)
        if hits + misses and _holds(precision, hits + precision, misses + 1 - precision) >= _SURENESS_OF_ALL:
            break
    return _lowest(_chances(predicted, confidence, right, labels, precision), sureness)


class _Chances(Struct, frozen=True, eq=False):
    """How probable it is that the precision holds.

    Attributes:
        levels: float64[m], NEVER and then confidences, the highest first.
        of: float64[labels, m], for the tickets of a label at or above a level: 1 for NEVER, and 0 where the label has
            no ticket at or above the level, or none at or below it.
    """

    levels: Floats
    of: Floats


def _chances(predicted: Integers, confidence: Floats, right: Flags, labels: int, precision: float) -> _Chances:
    # Every label tries the confidences of all: between two of its own tickets, the others' tell how far it can go.
    levels = np.append(NEVER, np.unique(_level(confidence))[::-1])
    prior, weight = _share_above(levels, confidence, right), _prior_weight(predicted, confidence, right)
    of = np.zeros((labels, len(levels)))
    for label in np.unique(predicted):
        own = predicted == label
        tickets, hits, promised = _count_above(levels, confidence[own], right[own])
        # Others may be surer: what they keep says little about a label that is seldom sure.
        kept = np.minimum(prior, (promised + _OTHERS * prior) / (tickets + _OTHERS))
        held = _holds(precision, hits + weight * kept, tickets - hits + weight * (1 - kept))
        tried = (tickets > 0) & (levels >= _level(confidence[own].min()))
        of[label] = np.where(tried, held, 0.0)
    of[:, 0] = 1
    return _Chances(levels, of)


def _lowest(chances: _Chances, sureness: float) -> Floats:
    """float64[labels]: the lowest level of each label at which the precision holds that surely."""
    sure = chances.of >= sureness
    found: Floats = chances.levels[sure.shape[1] - 1 - sure[:, ::-1].argmax(axis=1)]
    return found


def _share_above(levels: Floats, confidence: Floats, right: Flags) -> Floats:
    """The share of right tickets at or above each level: as counted or by their confidences, whichever is lower.

    The count of a few hundred tickets is noisy, and confidences can promise too much where some labels are mistaken.
    """
    tickets, hits, promised = _count_above(levels, confidence, right)
    found: Floats = np.minimum(hits / (tickets + 1), promised / np.maximum(tickets, 1))  # + 1: few alone prove nothing
    return found


def _level(confidence: Floats) -> Floats:
    """The threshold at or below a confidence."""
    found: Floats = np.floor(confidence * _STEPS) / _STEPS
    return found


def _count_above(levels: Floats, confidence: Floats, right: Flags) -> tuple[Integers, Floats, Floats]:
    """At or above each level: the number of tickets, of right ones, and of those that the confidences promise."""
    order = np.argsort(-confidence, kind="stable")
    tickets = np.searchsorted(-confidence[order], -levels, side="right")
    hits, promised = (np.concatenate([[0.0], np.cumsum(of[order])])[tickets] for of in (right, confidence))
    return tickets, hits, promised


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


def _holds(precision: float, hits: Floats | float, misses: Floats | float) -> Floats:
    """The probability that the share of right tickets is above `precision`, given hits and misses."""
    from scipy.special import betaincc  # noqa: PLC0415 - installed for training only

    found: Floats = betaincc(np.maximum(hits, 1e-9), np.maximum(misses, 1e-9), precision)
    return found
