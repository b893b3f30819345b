"""Splitting texts into batches."""

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from models.run.batching import split


def _cost(lengths: list[int], batches: list[list[int]], overhead: int) -> int:
    return sum(overhead + len(batch) * max(lengths[at] for at in batch) for batch in batches)


@given(st.lists(st.integers(1, 60), max_size=8), st.integers(1, 100), st.integers(0, 20))
def test_no_other_split_of_the_sorted_texts_costs_less(lengths: list[int], budget: int, overhead: int) -> None:
    """The split costs least of all, every text is in exactly one batch, and the longest batch is first."""
    batches = [list(batch) for batch in split(lengths, budget=budget, overhead=overhead)]
    assert sorted(at for batch in batches for at in batch) == list(range(len(lengths)))
    longest = [max(lengths[at] for at in batch) for batch in batches]
    assert longest == sorted(longest, reverse=True)
    if not lengths:
        return
    order = sorted(range(len(lengths)), key=lambda at: lengths[at])
    costs = []
    for cuts in range(len(order)):
        for ends in combinations(range(1, len(order)), cuts):
            bounds = [0, *ends, len(order)]
            candidate = [order[a:b] for a, b in pairwise(bounds)]
            if all(len(b) == 1 or len(b) * lengths[b[-1]] <= budget for b in candidate):
                costs.append(_cost(lengths, candidate, overhead))
    assert _cost(lengths, batches, overhead) == min(costs)
