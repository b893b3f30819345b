"""Calibrations of similarities by embedding model, because models have different ranges of similarity."""

from typing import Final

from msgspec import Struct


class Calibration(Struct, frozen=True):
    """Weights of the confidence that something was found, 1 / (1 + exp(-x)), and the threshold of a near passage.

    Attributes:
        intercept: x without anything else.
        similarity: weight of the highest similarity of the best tickets.
        margin: weight of the highest similarity minus the background's.
        near: from this similarity on a passage is near in meaning.
    """

    intercept: float
    similarity: float
    margin: float
    near: float


#: Calibration of models without their own. `ticketstream evaluate` shows whether the threshold fits them.
DEFAULT: Final = Calibration(intercept=-5.0, similarity=10.4, margin=5.0, near=0.4)
#: By the model's name (the prefix of its stamp), fitted to questions with and without an answer (docs/search.md).
_BY_MODEL: Final = {
    "all-MiniLM-L6-v2": DEFAULT,
    "multilingual-e5-small-q4": Calibration(intercept=-73.0, similarity=83.5, margin=51.0, near=0.86),
}


def calibration_of(stamp: str) -> Calibration:
    """The calibration of the embedding model with this stamp."""
    return _BY_MODEL.get(stamp.partition("/")[0], DEFAULT)
