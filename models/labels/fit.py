"""Fits a label model to labelled tickets, and calibrates it on held-out ones.

Multinomial logistic regression on their vectors, and naive Bayes on their words if these help.
"""

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Final

import numpy as np
from msgspec import Struct

from core.errors import ConfigError
from core.records import SparseVector, Vector
from models.labels.linear import Calibration, LinearHead, log_odds, most_probable
from models.labels.thresholds import Flags, choose_thresholds
from models.labels.words import Floats, Integers, Vocabulary, WordWeights, fit_words, vocabulary_of

#: Number of folds; each is predicted by a model fitted to the others. Small sets get more folds, because a model
#: would miss a fifth of their tickets.
FOLDS: Final = 5
_FOLDS_OF_FEW: Final = 10
_FEW: Final = 5_000
#: Candidates for the inverse strength of the regularisation.
_STRENGTHS: Final = (1.0, 10.0, 30.0)
_MAX_ITERATIONS: Final = 300
_SEED: Final = 7
_LOSS_DECIMALS: Final = 4
#: Logit of a label without a ticket in the other folds: far below any real one.
_ABSENT: Final = -1e9
#: Candidates for the weight of words and for the scale of the sum.
_WORD_WEIGHTS: Final = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
_SCALES: Final = (0.7, 1.0, 1.4, 2.0)
_NO_TERMS: Final = SparseVector(np.empty(0, np.uint32), np.empty(0, np.float32))
_LEAST_LABELS: Final = 2

#: The tickets to fit to, and the held-out ones.
Fold = tuple[Integers, Integers]
#: Called after each fit, with the number of fits so far and in total.
OnFit = Callable[[int, int], object]


class TooFewError(Exception):
    """There are too few labelled tickets to fit to; the message says how many are needed."""


class Evidence(Struct, frozen=True, eq=False):
    """Predictions for held-out tickets.

    Attributes:
        own: int[n], each ticket's label.
        predicted: int[n].
        confidence: float64[n].
    """

    own: Integers
    predicted: Integers
    confidence: Floats

    @property
    def right(self) -> Flags:
        """bool[n]: where the prediction is the ticket's label."""
        found: Flags = self.own == self.predicted
        return found


class _Mix(Struct, frozen=True):
    """The weight of words, and the scale of the sum."""

    words: float
    scale: float

    def of(self, logits: Floats, spoken: Floats) -> Floats:
        """Both kinds of logits in one."""
        return self.scale * (logits + self.words * spoken)


class FittedHead(Struct, frozen=True, eq=False):
    """A head, and its predictions for held-out tickets."""

    head: LinearHead
    evidence: Evidence


def fit_head(
    vectors: Vector,
    terms: Sequence[SparseVector | None],
    labels: Sequence[str],
    *,
    precision: float,
    on_fit: OnFit,
) -> FittedHead:
    """Fit a head to float32[n, dim], the terms of the same passages and n labels.

    The strength of the regularisation, the weight of words, the calibration and the thresholds are chosen on held-out
    folds. The head itself is then fitted to all tickets.

    Raises:
        TooFewError: there are too few tickets.
        ConfigError: scikit-learn is not installed.
    """
    require_library()
    kept = without_duplicates(vectors, labels)
    vectors, labels, spoken = vectors[kept], [labels[n] for n in kept], [terms[n] or _NO_TERMS for n in kept]
    names = tuple(sorted(set(labels)))
    ranks = {name: rank for rank, name in enumerate(names)}
    own = np.array([ranks[label] for label in labels], np.intp)
    if np.count_nonzero(np.bincount(own) >= FOLDS) < _LEAST_LABELS:
        raise TooFewError(
            f"{len(own):,} labelled ticket(s) are too few; at least two labels need {FOLDS} different tickets each"
        )
    folds = _folds(own)
    total = len(folds) * len(_STRENGTHS) + 1
    tried = []
    for number, strength in enumerate(_STRENGTHS):
        logits = _held_out(
            vectors, own, folds, strength, on_fit=partial(_on_fit_of, on_fit, len(folds) * number, total)
        )
        tried.append((float((logits.argmax(axis=1) == own).mean()), strength, logits))
    _, strength, logits = max(tried, key=lambda one: one[0])  # the first, and therefore smoothest, of equals
    vocabulary = vocabulary_of(spoken)
    by_words = _held_out_words(vocabulary, spoken, own, folds, labels=len(names))
    mix = _choose_mix(logits, by_words, own)
    probability, predicted = most_probable(mix.of(logits, by_words))
    calibration = fit_calibration(probability, predicted == own)
    evidence = Evidence(own, predicted, calibration.confidence(probability))
    thresholds = choose_thresholds(
        predicted, evidence.confidence, evidence.right, labels=len(names), precision=precision
    )
    weights, bias, _ = _fit(vectors, own, strength)
    on_fit(total, total)
    words = fit_words(vocabulary, spoken, own, labels=len(names)) if mix.words else None
    if words is not None:
        words = WordWeights(vocabulary, mix.scale * mix.words * words.weights)
    head = LinearHead(names, mix.scale * weights, mix.scale * bias, calibration, thresholds, words)
    return FittedHead(head, evidence)


def _held_out(
    vectors: Vector, own: Integers, folds: Sequence[Fold], strength: float, *, on_fit: Callable[[int], None]
) -> Floats:
    """Logits float64[n, labels] of each ticket by a model that was fitted to the other folds."""
    logits = np.full((len(own), own.max() + 1), _ABSENT)
    for number, (rest, fold) in enumerate(folds, start=1):
        weights, bias, there = _fit(vectors[rest], own[rest], strength)
        logits[np.ix_(fold, there)] = vectors[fold] @ weights + bias
        on_fit(number)
    return logits


def _held_out_words(
    vocabulary: Vocabulary, spoken: Sequence[SparseVector], own: Integers, folds: Sequence[Fold], *, labels: int
) -> Floats:
    """Like `_held_out`, by words alone."""
    logits = np.zeros((len(own), labels))
    for rest, fold in folds:
        words = fit_words(vocabulary, [spoken[n] for n in rest], own[rest], labels=labels)
        logits[fold] = [words.logits(spoken[n]) for n in fold]
    return logits


def _choose_mix(logits: Floats, spoken: Floats, own: Integers) -> _Mix:
    """The mix with the least loss on held-out tickets; the vector alone unless words help noticeably."""
    rows = np.flatnonzero(logits[np.arange(len(own)), own] > _ABSENT)

    def loss(mix: _Mix) -> float:
        mixed = mix.of(logits[rows], spoken[rows])
        above = mixed - mixed[np.arange(len(rows)), own[rows]][:, None]
        return round(float(np.logaddexp.reduce(above, axis=1).mean()), _LOSS_DECIMALS)

    return min((_Mix(words, scale) for words in _WORD_WEIGHTS for scale in _SCALES if words or scale == 1), key=loss)


def _on_fit_of(on_fit: OnFit, before: int, total: int, done: int) -> None:
    """Report `done` fits after those `before` them."""
    on_fit(before + done, total)


def require_library() -> None:
    """Check that scikit-learn is installed.

    Raises:
        ConfigError: it isn't.
    """
    if find_spec("sklearn") is None:
        raise ConfigError(
            "training needs scikit-learn, which workers don't: pip install --require-hashes -r requirements/train.txt"
        )


def fit_calibration(probability: Floats, right: Flags) -> Calibration:
    """Platt scaling: logistic regression of `right` on the log-odds; the identity if all are right, or all wrong."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - installed for training only

    if right.all() or not right.any():
        return Calibration()
    model = LogisticRegression(C=np.inf).fit(log_odds(probability)[:, None], right)
    return Calibration(float(model.coef_[0, 0]), float(model.intercept_[0]))


def without_duplicates(vectors: Vector, labels: Sequence[str]) -> list[int]:
    """The rows that have each vector once per label: with copies in two folds, held-out tickets would be too easy."""
    seen = {
        (vector.tobytes(), label): n
        for n, (vector, label) in reversed(list(enumerate(zip(vectors, labels, strict=True))))
    }
    return sorted(seen.values())


def _folds(own: Integers) -> list[Fold]:
    """Stratified folds, the same for every strength: the rest of the tickets, and the fold."""
    from sklearn.model_selection import StratifiedKFold  # noqa: PLC0415 - installed for training only

    can_be_few = np.count_nonzero(np.bincount(own) >= _FOLDS_OF_FEW) >= _LEAST_LABELS
    count = _FOLDS_OF_FEW if can_be_few and len(own) < _FEW else FOLDS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a label with fewer tickets than folds
        return list(StratifiedKFold(count, shuffle=True, random_state=_SEED).split(own, own))


def _fit(vectors: Vector, own: Integers, strength: float) -> tuple[Floats, Floats, Integers]:
    """Weights float64[dim, m], bias float64[m], and the m labels that occur in `own`."""
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415 - installed for training only
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - likewise
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - likewise

    # One thread: the sums, and so the model, are then the same on any number of cores.
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)  # held-out folds judge it without convergence, too
        model = LogisticRegression(C=strength, max_iter=_MAX_ITERATIONS).fit(vectors, own)
    weights, bias = model.coef_.T, model.intercept_
    if weights.shape[1] == 1:  # two labels: one is the other's opposite
        weights, bias = np.hstack([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    return weights.astype(np.float64), bias.astype(np.float64), model.classes_
