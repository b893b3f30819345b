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
#: Labels of few tickets are given at least this many times as often as with thresholds at their own tickets.
_GAIN = 1.1


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


def _raised(thresholds: Floats, predicted: Integers, confidence: Floats) -> Floats:
    """Each threshold raised to the next ticket of its label, which is far away where there are few."""
    above = [confidence[(predicted == label) & (confidence >= least)] for label, least in enumerate(thresholds)]
    return np.array([own.min(initial=NEVER) for own in above])


def check_labels_of_few(choose: Choose) -> None:
    """20 labels of some 12 tickets each, which are right as often as their confidence says."""
    rng = np.random.default_rng(11)
    given = raised = right = 0.0
    for _ in range(12):
        predicted, confidence = rng.integers(20, size=240), np.round(rng.beta(8, 1, size=240), 4)
        thresholds = choose(predicted, confidence, rng.random(240) < confidence)
        labels, unseen = rng.integers(20, size=20_000), rng.beta(8, 1, size=20_000)
        given += np.count_nonzero(unseen >= thresholds[labels])
        raised += np.count_nonzero(unseen >= _raised(thresholds, predicted, confidence)[labels])
        right += unseen[unseen >= thresholds[labels]].sum()
    assert right >= _PRECISION * given
    assert given > _GAIN * raised


def test_labels_of_few_tickets_share_their_evidence() -> None:
    """A label's threshold may lie between two of its tickets, where the evidence of all labels puts it."""
    check_labels_of_few(_ours)


def test_thresholds_at_own_tickets_only_are_caught() -> None:
    """Mutant: thresholds are confidences of the label's own tickets."""
    with pytest.raises(AssertionError):
        check_labels_of_few(
            lambda predicted, confidence, right: _raised(_ours(predicted, confidence, right), predicted, confidence)
        )


def test_a_label_that_is_never_sure_does_not_profit_from_others() -> None:
    """Two labels are always sure and right; the third is right as often as it promises, which is half of the time."""
    confidence = np.concatenate([np.full(400, 0.99), np.full(6, 0.5)])
    predicted = np.concatenate([np.repeat(np.array([0, 1]), 200), np.full(6, 2)])
    right = np.ones(406, np.bool_)
    right[400::2] = False
    found = choose_thresholds(predicted, confidence, right, labels=3, precision=_PRECISION)
    assert found.tolist() == [0.99, 0.99, NEVER]


def test_a_threshold_is_not_below_every_ticket_of_its_label() -> None:
    """Other labels' tickets of a low confidence say nothing about a label that has none."""
    rng = np.random.default_rng(5)
    confidence = np.round(np.concatenate([rng.uniform(0.95, 1, 300), rng.uniform(0.3, 0.6, 20)]), 4)
    predicted = np.repeat(np.array([0, 1]), [300, 20])
    right = np.concatenate([np.ones(300, np.bool_), rng.random(20) < 0.45])
    found = choose_thresholds(predicted, confidence, right, labels=2, precision=_PRECISION)
    assert 0.95 <= found[0] <= confidence[:300].min()


def test_luck_does_not_outweigh_what_confidences_promise() -> None:
    """All of 180 tickets are right, but their confidences promise only 0.93."""
    predicted = np.repeat(np.arange(60), 3)
    found = choose_thresholds(predicted, np.full(180, 0.93), np.ones(180, np.bool_), labels=60, precision=_PRECISION)
    assert (found == NEVER).all()


def test_a_rounded_threshold_keeps_its_tickets() -> None:
    """Thresholds are rounded down, so that the tickets whose confidence chose one are given."""
    found = choose_thresholds(
        np.zeros(200, np.intp), np.full(200, 0.9996), np.ones(200, np.bool_), labels=1, precision=_PRECISION
    )
    assert found.tolist() == [0.999]
