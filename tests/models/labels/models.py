"""Label models for tests."""

import msgspec
import numpy as np

from core.records import LabelKind
from models.labels.linear import NEVER, Calibration, LabelModel, LinearHead
from models.labels.words import Floats, Vocabulary, WordWeights


def head(weights: Floats, thresholds: list[float], *, names: tuple[str, ...] = ("a", "b", "c")) -> LinearHead:
    """A head without bias whose confidences are the softmax's probabilities."""
    count = weights.shape[1]
    return LinearHead(names[:count], weights, np.zeros(count), Calibration(), np.array(thresholds))


def heads_of(dimension: int) -> dict[LabelKind, LinearHead]:
    """Random heads for both kinds, with low thresholds; the terms 3, 5 and 9 count for the priority."""
    rng = np.random.default_rng(5)
    vocabulary = Vocabulary(np.array([3, 5, 9], np.uint32), np.array([0.5, 1.5, 2.0]))
    words = WordWeights(vocabulary, rng.standard_normal((3, 2)).astype(np.float32).astype(float))
    return {
        "category": head(rng.standard_normal((dimension, 3)).astype(np.float32).astype(float), [0.2, 0.4, NEVER]),
        "priority": msgspec.structs.replace(
            head(rng.standard_normal((dimension, 2)).astype(np.float32).astype(float), [0.1, 0.6]), words=words
        ),
    }


def random_model(dimension: int) -> LabelModel:
    """A model with these heads."""
    return LabelModel(heads_of(dimension), stamp="labels/test")
