"""Confidence intervals of means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maintenance.evaluation import bootstrap
from maintenance.evaluation.bootstrap import Interval, difference, interval

_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=40)


@given(_VALUES)
def test_the_figure_is_the_mean_inside_its_interval(values: list[float]) -> None:
    """The figure is the mean and lies in its interval, which is the same for equal seeds."""
    found = interval(values)
    assert found == interval(values)
    assert found.value == pytest.approx(np.mean(values))
    assert found.low - 1e-9 <= found.value <= found.high + 1e-9
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9


def test_more_questions_make_a_narrower_interval() -> None:
    """Nine times as many questions make the interval about a third as wide."""
    few, many = interval([0.0, 1.0] * 20), interval([0.0, 1.0] * 180)
    assert (few.high - few.low) / (many.high - many.low) == pytest.approx(3, rel=0.25)


def test_the_interval_covers_the_truth() -> None:
    """Of 200 samples of a known distribution, about 95 % have its mean in their interval."""
    rng = np.random.default_rng(1)
    covered = sum(
        f.low <= 0.3 <= f.high for f in (interval([float(x < 0.3) for x in rng.random(60)]) for _ in range(200))
    )
    assert 180 <= covered <= 199


def test_strata_count_alike() -> None:
    """The balanced figure of 9 right of 9 and 0 right of 1 is a half; an empty stratum is left out."""
    assert interval([1.0] * 9, [0.0]).value == 0.5
    assert interval([1.0] * 9, []).value == 1
    assert interval() == interval([]) == Interval(0, 0, 0, 0)


def test_a_paired_difference_is_narrower_than_the_figures() -> None:
    """The interval of a paired difference is narrower, because equally hard questions cancel out."""
    rng = np.random.default_rng(2)
    before = rng.random(100)
    gain = difference(list(before), list(before - 0.05))
    assert gain.value == pytest.approx(-0.05)
    assert gain.high < 0
    assert gain.high - gain.low < 0.01


def test_chunks_do_not_change_the_number_of_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resampling in chunks, as for large sets, gives the same result."""
    values = list(np.random.default_rng(3).random(50))
    whole = interval(values)
    monkeypatch.setattr(bootstrap, "_CHUNK", 500)
    assert interval(values) == whole
