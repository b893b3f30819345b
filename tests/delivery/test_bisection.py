"""Bisection: one bad item doesn't cost its batch."""

import math
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import RefusedError, TransientError
from delivery.bisection import Refusal, write_with_bisection


class _Store:
    """Refuses every batch that holds a bad item, or is longer than `limit`."""

    def __init__(self, bad: set[int], *, limit: int | None = None) -> None:
        self.bad = bad
        self.limit = limit
        self.calls = 0
        self.written: list[int] = []

    def write(self, items: Sequence[int]) -> None:
        self.calls += 1
        if self.bad.intersection(items) or (self.limit is not None and len(items) > self.limit):
            raise RefusedError(f"a bad one among {len(items)}")
        self.written += items


Write = Callable[[Sequence[int], Callable[[Sequence[int]], None]], list[Refusal]]


def _isolates(bad: set[int], count: int, write: Write = write_with_bisection) -> bool:
    store = _Store(bad)
    refusals = write(range(count), store.write)
    blamed = [refusal.at for refusal in refusals]
    alone = all(str(refusal.error) == "a bad one among 1" for refusal in refusals)
    return blamed == sorted(bad) and store.written == [n for n in range(count) if n not in bad] and alone


@given(st.integers(0, 300).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, max(0, n - 1))))))
def test_exactly_the_bad_items_are_returned_and_the_others_written_once(case: tuple[int, set[int]]) -> None:
    """Exactly the bad items are returned, each refused alone; the others are written once, in order."""
    count, bad = case
    assert _isolates(bad if count else set(), count)


def test_mutants_that_blame_without_proof_are_caught() -> None:
    """Blaming the whole batch, or the half that remains when the other is accepted, is caught."""

    def whole(items: Sequence[int], write: Callable[[Sequence[int]], None]) -> list[Refusal]:
        try:
            write(items)
        except RefusedError as error:
            return [Refusal(at, error) for at in range(len(items))]
        return []

    def halves(items: Sequence[int], write: Callable[[Sequence[int]], None]) -> list[Refusal]:
        found = whole(items, write)
        if len(found) < 2:
            return found
        middle = len(items) // 2
        left = halves(items[:middle], write)
        right = [Refusal(at, found[0].error) for at in range(len(items) - middle)]
        return left or [Refusal(middle + r.at, r.error) for r in right]

    assert not _isolates({5}, 8, whole)
    assert not _isolates({5}, 8, halves)


@pytest.mark.parametrize("count", [1, 2, 7, 64, 256, 1_000])
def test_one_bad_item_costs_the_logarithm(count: int) -> None:
    """One bad item at any place costs at most log2(n) + 3 additional calls."""
    worst = 0
    for bad in range(count):
        store = _Store({bad})
        write_with_bisection(range(count), store.write)
        worst = max(worst, store.calls - 1)
    print(f"{count}: {worst} extra calls at most")
    assert worst <= math.ceil(math.log2(count)) + 3


def test_a_batch_of_bad_items_costs_little_more_than_a_call_each() -> None:
    """The worst case takes less than 1.3 calls per item."""
    store = _Store(set(range(256)))
    assert len(write_with_bisection(range(256), store.write)) == 256
    assert store.calls < 1.3 * 256


def test_all_good_is_one_call() -> None:
    """A good batch is written with one call."""
    store = _Store(set())
    assert write_with_bisection(range(256), store.write) == []
    assert store.calls == 1


def test_items_refused_only_as_a_batch_are_written() -> None:
    """When only long batches are refused, every item is written and none is blamed."""
    store = _Store(set(), limit=3)
    assert write_with_bisection(range(50), store.write) == []
    assert store.written == list(range(50))


def test_an_outage_during_bisection_propagates() -> None:
    """An outage during bisection propagates and blames no item; the caller writes the whole batch again."""
    store = _Store({5})

    def write(items: Sequence[int]) -> None:
        if store.calls == 3:
            raise TransientError("index out")
        store.write(items)

    with pytest.raises(TransientError, match="index out"):
        write_with_bisection(range(64), write)
