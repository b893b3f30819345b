"""Fitting a label model."""

from collections.abc import Sequence

import numpy as np
import pytest

from core.errors import ConfigError
from core.records import SparseVector, Vector
from models.labels import fit
from models.labels.fit import FittedHead, TooFewError, fit_calibration, fit_head, without_duplicates
from models.labels.report import calibration_error, judge, report_evidence

pytest.importorskip("sklearn")

_LABELS = ("billing", "delivery", "login")


def tickets(count: int, *, seed: int, spread: float = 0.5) -> tuple[Vector, list[str]]:
    """Unit vectors around a centre for each label."""
    rng = np.random.default_rng(seed)
    own = rng.integers(3, size=count)
    vectors = np.eye(3, 8, dtype=np.float32)[own] + spread * rng.standard_normal((count, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors, [_LABELS[n] for n in own]


def _fit_head(vectors: Vector, labels: Sequence[str], *, precision: float = 0.9) -> FittedHead:
    """A head of tickets without words."""
    return fit_head(vectors, [None] * len(labels), labels, precision=precision, on_fit=lambda _n, _of: None)


def _unspoken(vectors: Vector, labels: Sequence[str]) -> tuple[Vector, list[SparseVector | None], Sequence[str]]:
    return vectors, [None] * len(labels), labels


def test_a_fitted_head_labels_unseen_tickets_as_the_folds_promise() -> None:
    """On unseen tickets precision is as wanted, confidences are calibrated, and most tickets get a label."""
    fits: list[tuple[int, int]] = []
    vectors, labels = tickets(600, seed=1)
    unspoken = [None] * len(labels)
    fitted = fit_head(vectors, unspoken, labels, precision=0.9, on_fit=lambda n, of: fits.append((n, of)))
    promised = report_evidence("category", fitted.head, fitted.evidence)
    seen = report_evidence("category", fitted.head, judge(fitted.head, *_unspoken(*tickets(3_000, seed=2))))
    assert fitted.head.names == _LABELS
    assert seen.precision is not None
    assert seen.precision >= 0.9
    assert seen.coverage > 0.5
    assert abs(seen.accuracy - promised.accuracy) < 0.04
    assert seen.ece < 0.05
    assert fits[-1] == (len(fits), len(fits))


def test_a_fit_is_the_same_every_time() -> None:
    """Equal tickets give an equal head."""
    first, second = (_fit_head(*tickets(90, seed=3)) for _ in range(2))
    assert np.array_equal(first.head.weights, second.head.weights)
    assert first.head.calibration == second.head.calibration
    assert first.head.thresholds.tolist() == second.head.thresholds.tolist()


def _spoken(labels: Sequence[str], *, seed: int, telling: float) -> list[SparseVector | None]:
    """Six terms of thirty for each ticket; each is one of ten terms of its own label with the probability `telling`."""
    rng = np.random.default_rng(seed)
    found: list[SparseVector | None] = []
    for label in labels:
        own = 10 * _LABELS.index(label) + rng.integers(10, size=6)
        terms = np.unique(np.where(rng.random(6) < telling, own, rng.integers(30, size=6))).astype(np.uint32)
        found.append(SparseVector(terms, np.ones(len(terms), np.float32)))
    return found


def test_words_that_tell_labels_apart_count() -> None:
    """Informative words make more tickets right and labelled; uninformative words are left out."""
    (vectors, labels), (others, truth) = tickets(400, seed=9, spread=1.0), tickets(2_000, seed=10, spread=1.0)
    alone = judge(_fit_head(vectors, labels).head, *_unspoken(others, truth))
    for telling in (0.6, 0.0):
        spoken = _spoken(labels, seed=11, telling=telling)
        head = fit_head(vectors, spoken, labels, precision=0.9, on_fit=lambda _n, _of: None).head
        found = judge(head, others, _spoken(truth, seed=12, telling=telling), truth)
        if telling:
            assert found.right.mean() > alone.right.mean() + 0.05
            given = found.confidence >= head.thresholds[found.predicted]
            assert given.mean() > 0.3
            assert found.right[given].mean() >= 0.88
        else:
            assert head.words is None


def test_two_labels_are_told_apart_too() -> None:
    """With two labels the library has one column of weights; the head has two."""
    vectors, labels = tickets(300, seed=4, spread=0.2)
    pair = [at for at, label in enumerate(labels) if label != "login"]
    fitted = _fit_head(vectors[pair], [labels[at] for at in pair])
    assert fitted.head.weights.shape == (8, 2)
    assert fitted.evidence.right.mean() > 0.95


def test_a_rare_label_is_kept_and_never_given() -> None:
    """A label with one ticket is kept as a competitor, but gets no threshold."""
    vectors, labels = tickets(200, seed=5, spread=0.2)
    labels[0] = "Ärger\0"
    fitted = _fit_head(vectors, labels)
    report = report_evidence("category", fitted.head, fitted.evidence)
    (rare,) = [label for label in report.labels if label.label == "Ärger\0"]
    assert (rare.tickets, rare.threshold) == (1, None)


@pytest.mark.parametrize("labels", [[], ["a"] * 20, ["a"] * 20 + ["b"] * 4])
def test_too_few_tickets_say_so(labels: list[str]) -> None:
    """Two labels need five different tickets each."""
    vectors = np.random.default_rng(6).standard_normal((len(labels), 4)).astype(np.float32)
    with pytest.raises(TooFewError, match="at least two labels need 5 different tickets each"):
        _fit_head(vectors, labels)


def test_copies_of_a_ticket_count_once() -> None:
    """Duplicates are dropped, because a copy in another fold would be predicted by its twin."""
    vectors, labels = tickets(4, seed=7)
    kept = without_duplicates(np.concatenate([vectors, vectors]), [*labels, *labels[:3], "another"])
    assert kept == [0, 1, 2, 3, 7]


def test_the_calibration_undoes_overconfidence() -> None:
    """Calibration turns overconfident probabilities into the share that is right."""
    rng = np.random.default_rng(8)
    truth = rng.uniform(0.5, 1, 20_000)
    right = rng.random(20_000) < truth
    promised = truth**2 / (truth**2 + (1 - truth) ** 2)
    assert calibration_error(promised, right) > 0.05
    assert calibration_error(fit_calibration(promised, right).confidence(promised), right) < 0.02


def test_without_the_library_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without scikit-learn, which only training needs, the error says what to install."""
    monkeypatch.setattr(fit, "find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match=r"training needs scikit-learn, .* requirements/train\.txt"):
        _fit_head(*tickets(90, seed=3))
