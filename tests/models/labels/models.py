"""Label models for tests."""

import numpy as np

from core.records import LabelKind
from models.labels.linear import NEVER, Calibration, Floats, LabelModel, LinearHead


def head(weights: Floats, thresholds: list[float], *, names: tuple[str, ...] = ("a", "b", "c")) -> LinearHead:
    """A head without bias whose confidences are the softmax's probabilities."""
    count = weights.shape[1]
    return LinearHead(names[:count], weights, np.zeros(count), Calibration(), np.array(thresholds))


def heads_of(dimension: int) -> dict[LabelKind, LinearHead]:
    """Random heads for both kinds, with low thresholds."""
    rng = np.random.default_rng(5)
    return {
        "category": head(rng.standard_normal((dimension, 3)).astype(np.float32).astype(float), [0.2, 0.4, NEVER]),
        "priority": head(rng.standard_normal((dimension, 2)).astype(np.float32).astype(float), [0.1, 0.6]),
    }


def random_model(dimension: int) -> LabelModel:
    """A model with these heads."""
    return LabelModel(heads_of(dimension), stamp="labels/test")
