"""Confidence intervals by the bootstrap: means of resampled questions (Efron and Tibshirani 1993, chapter 13)."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

RESAMPLES: Final = 2_000
SEED: Final = 11
_PERCENTILES: Final = (2.5, 97.5)
#: Resampled values in memory at once.
_CHUNK: Final = 1_000_000


class Interval(Struct, frozen=True):
    """A figure with its 95 % confidence interval, over `count` questions."""

    value: float
    low: float
    high: float
    count: int


def interval(*strata: Sequence[float], seed: int = SEED) -> Interval:
    """The mean of the strata's means, each of which is resampled by itself. Empty strata are left out.

    With one stratum this is its mean. The same values and seed give the same interval.
    """
    filled = [np.asarray(values, np.float64) for values in strata if len(values)]
    if not filled:
        return Interval(0.0, 0.0, 0.0, 0)
    rng = np.random.default_rng(seed)
    means = np.mean([_resampled_means(values, rng) for values in filled], axis=0)
    low, high = np.percentile(means, _PERCENTILES)
    value = float(np.mean([values.mean() for values in filled]))
    return Interval(value, float(low), float(high), sum(map(len, filled)))


def difference(before: Sequence[float], after: Sequence[float], *, seed: int = SEED) -> Interval:
    """The mean of `after` minus `before`, paired: both are values of the same questions in the same order."""
    return interval(np.subtract(after, before).tolist(), seed=seed)


def _resampled_means(values: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    rows = max(1, _CHUNK // len(values))
    sizes = [min(rows, RESAMPLES - at) for at in range(0, RESAMPLES, rows)]
    return np.concatenate([values[rng.integers(len(values), size=(n, len(values)))].mean(axis=1) for n in sizes])
