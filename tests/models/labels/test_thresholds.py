"""Thresholds keep the wanted precision on unseen tickets."""

from collections.abc import Callable

import numpy as np
import pytest

from models.labels.linear import NEVER
from models.labels.thresholds import Flags, choose_thresholds
from models.labels.words import Floats, Integers

pytest.importorskip("scipy")

Choose = Callable[[Integers, Floats, Flags], Floats]
_PRECISION = 0.95
#: The share of tickets that labels of few tickets give, at least.
_ENOUGH = 0.33


def _ours(predicted: Integers, confidence: Floats, right: Flags) -> Floats:
    return choose_thresholds(predicted, confidence, right, labels=20, precision=_PRECISION)


def _as_in_the_sample(predicted: Integers, confidence: Floats, right: Flags) -> Floats:
    """Mutant: the lowest threshold that has the wanted precision in the sample, which overfits."""
    found = np.full(20, NEVER)
    for label in range(20):
        order = np.flatnonzero(predicted == label)
        order = order[np.argsort(-confidence[order])]
        shares = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
        enough = np.flatnonzero(shares >= _PRECISION)
        if len(enough):
            found[label] = confidence[order[enough[-1]]]
    return found


def _tickets(rng: np.random.Generator, count: int) -> tuple[Integers, Floats, Flags]:
    """Tickets of 20 labels, the last of which are overconfident and rarely right."""
    predicted = rng.integers(20, size=count)
    confidence = np.round(rng.beta(3, 1, size=count), 4)
    truth = confidence ** np.where(predicted < 15, 0.5, 3)
    return predicted, confidence, rng.random(count) < truth


def check_precision(choose: Choose) -> None:
    """On unseen tickets the wanted precision holds for all labels together and for most labels alone."""
    rng = np.random.default_rng(3)
    unseen, kept, below, shares = _tickets(rng, 100_000), 0, 0, []
    for _ in range(10):
        thresholds = choose(*_tickets(rng, 1_600))
        predicted, confidence, right = unseen
        given = confidence >= thresholds[predicted]
        shares.append(right[given].mean())
        for label in np.unique(predicted[given]):
            kept += 1
            below += right[given & (predicted == label)].mean() < _PRECISION
    assert kept > 100
    assert np.mean(shares) >= _PRECISION
    assert below <= 0.4 * kept


def test_the_precision_holds_on_unseen_tickets() -> None:
    """The wanted precision holds for all labels together, and more likely than not for each."""
    check_precision(_ours)


def test_thresholds_that_fit_the_sample_are_caught() -> None:
    """The check fails on thresholds that fit the sample only."""
    with pytest.raises(AssertionError):
        check_precision(_as_in_the_sample)


def test_a_label_that_is_often_wrong_is_never_given() -> None:
    """A label has a threshold only if its tickets are right often enough at some confidence."""
    confidence = np.tile(np.linspace(0.5, 1, 200).round(4), 2)
    predicted = np.repeat(np.array([0, 1]), 200)
    right = np.ones(400, np.bool_)
    right[200::2] = False
    found = choose_thresholds(predicted, confidence, right, labels=3, precision=_PRECISION)
    assert found[0] < 1
    assert found[1] == NEVER
    assert found[2] == NEVER


def test_equal_confidences_stand_or_fall_together() -> None:
    """A threshold never separates equal confidences."""
    confidence = np.repeat(np.array([0.99, 0.5]), 100)
    right = np.ones(200, np.bool_)
    right[150:] = False
    found = choose_thresholds(np.zeros(200, np.intp), confidence, right, labels=1, precision=_PRECISION)
    assert found.tolist() == [0.99]


def check_labels_of_few(choose: Choose) -> None:
    """20 labels of some 12 tickets each, which are right as often as their confidence says: 0.63 could be labelled."""
    rng = np.random.default_rng(11)
    coverage, precision = [], []
    for _ in range(15):
        predicted, confidence = rng.integers(20, size=240), np.round(rng.beta(8, 1, size=240), 4)
        thresholds = choose(predicted, confidence, rng.random(240) < confidence)
        unseen = rng.beta(8, 1, size=20_000)
        given = unseen >= thresholds[rng.integers(20, size=20_000)]
        coverage.append(given.mean())
        precision.append(unseen[given].sum())
    assert sum(precision) / (20_000 * sum(coverage)) >= _PRECISION
    assert np.mean(coverage) >= _ENOUGH


def test_labels_of_few_tickets_share_their_evidence() -> None:
    """Where labels don't differ, twelve tickets of each are enough for a threshold near that of all together."""
    check_labels_of_few(_ours)


def test_thresholds_at_own_tickets_only_are_caught() -> None:
    """Mutant: a threshold is raised to the next ticket of its label, which is far away where there are few."""

    def raised(predicted: Integers, confidence: Floats, right: Flags) -> Floats:
        found = _ours(predicted, confidence, right)
        for label in range(20):
            above = confidence[(predicted == label) & (confidence >= found[label])]
            found[label] = above.min(initial=NEVER)
        return found

    with pytest.raises(AssertionError):
        check_labels_of_few(raised)
