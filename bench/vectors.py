"""Synthetic vectors, clustered like those of tickets: a common part, topics, subtopics, and a ticket's own part.

The k-th direction's share of the variance falls as a power of k. The constants are fitted to the vectors of banking77:
the cosine of two texts is 0.2 on average, and those of a text's 1st, 10th and 100th neighbour among 13,000 are about
0.92, 0.83 and 0.66. Uniform noise would have no neighbours worth finding, and no index could find them.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.records import Vector

DIMENSION: Final = 384

_TOPICS: Final = 100
_SUBTOPICS: Final = 20
#: Standard deviation of the k-th direction is proportional to k to this power.
_DECAY: Final = -0.5
#: Weights of a subtopic's and of a ticket's own part, relative to its topic's.
_SUBTOPIC: Final = 0.7
_OWN: Final = 0.5
#: Length of the part that all vectors share, relative to a topic's.
_COMMON: Final = 0.6
#: The n-th topic has a share of tickets that is proportional to n to this power.
_POPULARITY: Final = -0.7


class VectorSource:
    """A sequence of vectors that depends on the seed only; sources of different seeds share their topics."""

    def __init__(self, seed: int) -> None:
        fixed = np.random.default_rng(3)
        spread = np.arange(1, DIMENSION + 1, dtype=np.float32) ** _DECAY
        self._spread: NDArray[np.float32] = (spread / np.linalg.norm(spread)).astype(np.float32)
        common = fixed.standard_normal(DIMENSION, dtype=np.float32)
        self._topics = _COMMON * common / np.linalg.norm(common) + self._noise(fixed, _TOPICS)
        self._subtopics = _SUBTOPIC * self._noise(fixed, _TOPICS * _SUBTOPICS)
        shares = np.arange(1, _TOPICS + 1) ** _POPULARITY
        self._shares = shares / shares.sum()
        self._rng = np.random.default_rng(seed)

    def take(self, count: int) -> Vector:
        """The next `count` vectors: float32[count, 384], rows of length 1."""
        topics = self._rng.choice(_TOPICS, size=count, p=self._shares)
        subtopics = topics * _SUBTOPICS + self._rng.integers(_SUBTOPICS, size=count)
        own = _OWN * self._noise(self._rng, count)
        vectors = self._topics[topics] + self._subtopics[subtopics] + own
        found: Vector = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return found

    def _noise(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        return rng.standard_normal((count, DIMENSION), dtype=np.float32) * self._spread
