"""Validation of vectors."""

import numpy as np
import pytest

from core.vectors import vector_fault


def test_a_valid_vector_has_no_fault() -> None:
    """A vector of the right size that is finite and not zero is valid."""
    assert vector_fault(np.array([0, 1, 0], dtype=np.float32), 3) is None


@pytest.mark.parametrize("value", [1e-30, 3e38])
def test_very_small_and_very_large_values_are_valid(value: float) -> None:
    """A vector is valid even if its squares are 0 or infinity in float32."""
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
    """Each fault has a text that can be a dead letter's reason."""
    assert words in (vector_fault(np.array(values, dtype=np.float32), 3) or "")
