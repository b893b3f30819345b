"""A label model in memory."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.records import Label, LabelKind, Vector
from models.labels.linear import NEVER, Calibration, LabelModel, LinearHead, most_probable
from tests.models.labels.models import head, heads_of

#: Its logits are the vector itself.
_IDENTITY = np.eye(3)


def _vector(*parts: float) -> Vector:
    return np.array(parts, np.float32)


def _category(found: LinearHead, vector: Vector) -> Label | None:
    return LabelModel({"category": found}, stamp="labels/x").labels(vector, None, ["category"]).get("category")


def check_thresholds(model: Callable[[LinearHead], LabelModel]) -> None:
    """A label is given from its own threshold on, and a label without a threshold never."""
    vector = _vector(0, 2, 0)
    sure = float(np.round(np.exp(2) / (np.exp(2) + 2), 4))
    for threshold, expected in ((sure, Label("b", sure)), (sure + 0.0001, None), (NEVER, None)):
        found = model(head(_IDENTITY, [0, threshold, 0])).labels(vector, None, ["category"])
        assert found.get("category") == expected


class _IgnoresThresholds(LabelModel):
    def __init__(self, found: LinearHead) -> None:
        open_to_all = LinearHead(found.names, found.weights, found.bias, found.calibration, found.thresholds * 0)
        super().__init__({"category": open_to_all}, stamp="labels/x")


class _OneThresholdForAll(LabelModel):
    def __init__(self, found: LinearHead) -> None:
        least = np.full(3, found.thresholds.min())
        super().__init__(
            {"category": LinearHead(found.names, found.weights, found.bias, found.calibration, least)}, stamp=""
        )


def test_a_label_is_given_from_its_threshold_on() -> None:
    """Below its own threshold a label is not given."""
    check_thresholds(lambda found: LabelModel({"category": found}, stamp="labels/x"))


@pytest.mark.parametrize("mutant", [_IgnoresThresholds, _OneThresholdForAll])
def test_a_model_without_thresholds_is_caught(mutant: Callable[[LinearHead], LabelModel]) -> None:
    """The check of thresholds fails on a model that ignores them."""
    with pytest.raises(AssertionError):
        check_thresholds(mutant)


def test_only_the_kinds_that_are_asked_for_and_known_are_labelled() -> None:
    """A kind without a head gets no label."""
    model = LabelModel({"priority": head(_IDENTITY, [0, 0, 0])}, stamp="labels/x")
    assert set(model.labels(_vector(1, 0, 0), None, ["category", "priority"])) == {"priority"}
    assert model.labels(_vector(1, 0, 0), None, ["category"]) == {}


def test_equal_logits_go_to_the_label_that_sorts_first() -> None:
    """A tie is decided in the same way every time."""
    found = _category(head(_IDENTITY, [0, 0, 0]), _vector(1, 1, 0))
    assert found is not None
    assert found.value == "a"


@given(st.lists(st.lists(st.floats(-800, 800), min_size=3, max_size=3), min_size=1, max_size=5))
def test_probabilities_are_those_of_a_softmax(rows: list[list[float]]) -> None:
    """The highest probability of a row lies between 1/n and 1, whatever the logits."""
    probability, at = most_probable(np.array(rows))
    assert ((probability >= 1 / 3 - 1e-9) & (probability <= 1)).all()
    assert [row[n] for row, n in zip(rows, at, strict=True)] == [max(row) for row in rows]


def test_calibration_maps_log_odds_linearly() -> None:
    """Slope 1 and offset 0 change nothing; certainty stays finite."""
    found = Calibration().confidence(np.array([0.25, 0.5, 1.0]))
    assert found.tolist() == [0.25, 0.5, 1.0]
    halved = Calibration(slope=0.5).confidence(np.array([0.8]))
    assert halved[0] == pytest.approx(2 / 3, abs=1e-4)


def test_a_vector_has_the_same_labels_alone_and_among_others() -> None:
    """One by one, and in any memory layout, a vector gets the same label with the same confidence."""
    vectors = np.random.default_rng(2).standard_normal((64, 16)).astype(np.float32)
    model = LabelModel(heads_of(16), stamp="labels/x")
    kinds: list[LabelKind] = ["category", "priority"]
    apart = [model.labels(vector.copy(), None, kinds) for vector in vectors]
    assert [model.labels(vector, None, kinds) for vector in np.asfortranarray(vectors)] == apart


@given(st.floats(0, 1), st.floats(-200, 200), st.floats(-200, 200))
def test_one_confidence_is_as_many(probability: float, slope: float, offset: float) -> None:
    """The confidence computed for one label equals the one computed for all, by which its threshold was chosen."""
    calibration = Calibration(slope, offset)
    many = calibration.confidence(np.array([probability]))[0]
    assert calibration.confidence_of(probability) == pytest.approx(many, abs=1.01e-4)
