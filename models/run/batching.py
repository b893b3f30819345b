"""Groups texts into batches: every text is padded to the longest of its batch."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]


def split(lengths: Sequence[int], *, budget: int, overhead: int) -> list[Indices]:
    """Split texts into batches of least total cost, longest first.

    A batch of n texts, the longest of L tokens, costs `overhead + n·L`. Sorted by length, every batch of an optimal
    split is a contiguous run, so dynamic programming over the runs' ends finds one.

    Args:
        lengths: tokens of each text.
        budget: maximum tokens of a batch, including padding; the activations of larger batches leave the CPU's
            cache. A single text may exceed it.
        overhead: cost of a call, in tokens.

    Returns:
        Each batch as indices into `lengths`; every text is in exactly one.
    """
    order = np.argsort(lengths, kind="stable")
    ordered = [int(lengths[at]) for at in order]
    count = len(ordered)
    best = [0] * (count + 1)
    cut = [0] * (count + 1)
    for end in range(1, count + 1):
        longest = ordered[end - 1]
        least, at = best[end - 1] + overhead + longest, end - 1
        # The best cut never moves back, as the costs satisfy the quadrangle inequality (Yao 1980).
        first = max(cut[end - 1], end - budget // max(longest, 1), 0)
        for begin in range(end - 2, first - 1, -1):
            cost = best[begin] + overhead + (end - begin) * longest
            if cost < least:
                least, at = cost, begin
        best[end], cut[end] = least, at
    batches = []
    end = count
    while end:
        batches.append(order[cut[end] : end])
        end = cut[end]
    return batches
