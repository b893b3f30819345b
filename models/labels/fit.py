"""Fits a label model to labelled vectors: multinomial logistic regression, calibrated on tickets it hasn't seen."""

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Final

import numpy as np
from msgspec import Struct

from core.errors import ConfigError
from core.records import Vector
from models.labels.linear import Calibration, Floats, Integers, LinearHead, log_odds, most_probable
from models.labels.thresholds import Flags, choose_thresholds

#: Number of folds; each is predicted by a model that was fitted to the others. Few tickets are divided into more folds,
#: as a model would miss a fifth of them.
FOLDS: Final = 5
_FOLDS_OF_FEW: Final = 10
_FEW: Final = 5_000
#: Inverse strengths of the regularisation that are tried.
_STRENGTHS: Final = (1.0, 10.0, 30.0)
_MAX_ITERATIONS: Final = 300
_SEED: Final = 7
#: The logit of a label that the other folds have no ticket of: far below any real one.
_ABSENT: Final = -1e9
_LEAST_LABELS: Final = 2

#: The tickets to fit to, and the held-out ones.
Fold = tuple[Integers, Integers]
#: Called after each fit, with the number of fits so far and in total.
OnFit = Callable[[int, int], object]


class TooFewError(Exception):
    """There are too few labelled tickets to fit to; the message says how many are needed."""


class Evidence(Struct, frozen=True, eq=False):
    """Predictions for tickets that the predicting model was not fitted to.

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


class FittedHead(Struct, frozen=True, eq=False):
    """A head, and what it does on tickets that it was not fitted to."""

    head: LinearHead
    evidence: Evidence


def fit_head(vectors: Vector, labels: Sequence[str], *, precision: float, on_fit: OnFit) -> FittedHead:
    """Fit a head to float32[n, dim] and n labels.

    The strength of the regularisation, the calibration and the thresholds are chosen on held-out folds. The head itself
    is then fitted to all tickets.

    Raises:
        TooFewError: there are too few tickets.
        ConfigError: scikit-learn is not installed.
    """
    require_library()
    vectors, labels = without_duplicates(vectors, labels)
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
    _, strength, logits = max(tried, key=lambda one: one[0])  # the first, and so the smoothest, of equal ones
    probability, predicted = most_probable(logits)
    calibration = fit_calibration(probability, predicted == own)
    evidence = Evidence(own, predicted, calibration.confidence(probability))
    thresholds = choose_thresholds(
        predicted, evidence.confidence, evidence.right, labels=len(names), precision=precision
    )
    weights, bias, _ = _fit(vectors, own, strength)
    on_fit(total, total)
    return FittedHead(LinearHead(names, weights, bias, calibration, thresholds), evidence)


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


def without_duplicates(vectors: Vector, labels: Sequence[str]) -> tuple[Vector, list[str]]:
    """Each vector once per label: copies in two folds would make the held-out tickets look too easy."""
    seen = {
        (vector.tobytes(), label): n
        for n, (vector, label) in reversed(list(enumerate(zip(vectors, labels, strict=True))))
    }
    kept = sorted(seen.values())
    return vectors[kept], [labels[n] for n in kept]


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
        warnings.simplefilter("ignore", ConvergenceWarning)  # the folds judge it as it is
        model = LogisticRegression(C=strength, max_iter=_MAX_ITERATIONS).fit(vectors, own)
    weights, bias = model.coef_.T, model.intercept_
    if weights.shape[1] == 1:  # two labels: one is the other's opposite
        weights, bias = np.hstack([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    return weights.astype(np.float64), bias.astype(np.float64), model.classes_
