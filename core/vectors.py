"""What may be stored as a vector."""

import numpy as np

from core.records import Vector


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
