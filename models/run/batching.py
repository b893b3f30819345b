"""Which texts go through the model together: a text costs as many tokens as the longest beside it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]


def split(lengths: Sequence[int], *, budget: int, overhead: int) -> list[Indices]:
    """Cut texts into batches of least total cost, longest first.

    Sorted by length, the cheapest batches are neighbours; dynamic programming over their ends finds the best cut.
    A batch of n texts, the longest of L tokens, costs `overhead + n·L`.

    Args:
        lengths: tokens of each text.
        budget: most padded tokens of a batch: beyond it the activations leave the cache. A text alone is always
            allowed.
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
        # The best cut never moves back: the costs fulfil the quadrangle inequality (Yao 1980).
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
