"""Validation of vectors."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from core.records import Vector

_MATRIX: Final = 2  # dimensions


def all_valid(vectors: Vector | Sequence[Vector], dimension: int) -> bool:
    """True if every row is valid, checked in one pass.

    False may be a false alarm, because the squares of very large numbers overflow: check each row with `vector_fault`.
    """
    try:
        matrix = np.asarray(vectors)
    except ValueError:  # rows of several lengths
        return False
    if matrix.ndim != _MATRIX or matrix.shape[1] != dimension:
        return matrix.size == 0
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.einsum("ij,ij->i", matrix, matrix)
    return bool(((squares > 0) & (squares < np.inf)).all())  # NaN fails both comparisons


def vector_fault(vector: Vector, dimension: int) -> str | None:
    """Why `vector` must not reach the index, or None if it is valid: of the right size, finite and not zero."""
    if vector.shape != (dimension,):
        return f"a vector of shape {vector.shape} where ({dimension},) is expected"
    with np.errstate(over="ignore", invalid="ignore"):
        if 0 < float(vector @ vector) < np.inf:  # valid, in one pass; NaN fails both comparisons
            return None
    if not np.isfinite(vector).all():
        return "a vector with NaN or infinity in it"
    if not vector.any():
        return "a vector of zeros"
    return None
