"""What may be stored as a vector, and what may not."""

import numpy as np
import pytest

from core.vectors import vector_fault


def test_a_sound_vector_has_no_fault() -> None:
    """Of the right size, finite, and not zero."""
    assert vector_fault(np.array([0, 1, 0], dtype=np.float32), 3) is None


@pytest.mark.parametrize("value", [1e-30, 3e38])
def test_very_small_and_very_large_values_are_sound(value: float) -> None:
    """Their squares are 0 and infinity in float32; they are neither."""
    assert vector_fault(np.array([0, value, 0], dtype=np.float32), 3) is None


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1, 0], "shape (2,) where (3,)"),
        ([[1, 0, 0]], "shape (1, 3)"),
        ([1, np.nan, 0], "NaN"),
        ([1, -np.inf, 0], "infinity"),
        ([0, 0, 0], "zeros"),
    ],
)
def test_a_fault_is_named(values: list[object], words: str) -> None:
    """Each in words fit for a dead letter's reason."""
    assert words in (vector_fault(np.array(values, dtype=np.float32), 3) or "")
