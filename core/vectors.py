"""What may be stored as a vector."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from core.records import Vector

_ROWS: Final = 2  # dimensions of a matrix


def all_sound(vectors: Vector | Sequence[Vector], dimension: int) -> bool:
    """Whether every row may be stored for sure, in one pass over all; `vector_fault` looks at one closely."""
    try:
        matrix = np.asarray(vectors)
    except ValueError:  # rows of several lengths
        return False
    if matrix.ndim != _ROWS or matrix.shape[1] != dimension:
        return matrix.size == 0
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.einsum("ij,ij->i", matrix, matrix)
    return bool(((squares > 0) & (squares < np.inf)).all())  # NaN fails both comparisons


def vector_fault(vector: Vector, dimension: int) -> str | None:
    """Why `vector` must not reach the index, or None when it is sound: right size, finite, not zero."""
    if vector.shape != (dimension,):
        return f"a vector of shape {vector.shape} where ({dimension},) is expected"
    with np.errstate(over="ignore", invalid="ignore"):
        if 0 < float(vector @ vector) < np.inf:  # sound, in one pass; NaN fails both comparisons
            return None
    if not np.isfinite(vector).all():
        return "a vector with NaN or infinity in it"
    if not vector.any():
        return "a vector of zeros"
    return None
