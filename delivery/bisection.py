"""Finds the bad items in a batch that a sink refused because of its content."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec import Struct

from core.errors import RefusedError

T = TypeVar("T")


class Refusal(Struct, frozen=True):
    """The item at index `at` was refused when it was written alone."""

    at: int
    error: RefusedError


def write_with_bisection(items: Sequence[T], write: Callable[[Sequence[T]], None]) -> list[Refusal]:
    """Write every item that is accepted, and return the others. An item is returned only if it was refused alone.

    The first bad item is found by binary search, which writes the items before it on the way. One bad item among n
    costs at most log2(n) + 3 additional calls. The batch size is halved after each bad item and doubled after each
    accepted call, so a batch of bad items takes little more than a call for each. (A variant of Hwang's generalised
    binary splitting, 1972.)

    Args:
        items: each is written by exactly one accepted call, in order, or is returned.
        write: raises RefusedError if one of its items is bad. Other exceptions, such as outages, propagate.
    """
    refusals: list[Refusal] = []
    start, size = 0, len(items)
    while start < len(items):
        end = min(len(items), start + size)
        try:
            write(items[start:end])
        except RefusedError as error:
            start, refusal = _first_bad(items, start, end, error, write)
            if refusal is not None:
                refusals.append(refusal)
            size = max(1, size // 2)
        else:
            start, size = end, size * 2
    return refusals


def _first_bad(
    items: Sequence[T], start: int, end: int, error: RefusedError, write: Callable[[Sequence[T]], None]
) -> tuple[int, Refusal | None]:
    """Write the items from `start` up to the first bad one, given that `items[start:end]` was refused with `error`.

    Returns:
        The index to continue from, and the refusal, if an item was refused alone.
    """
    tried = end - start  # length of the last refused call
    while tried > 1:
        middle = start + max(1, (end - start) // 2)
        try:
            write(items[start:middle])
        except RefusedError as narrower:
            end, error, tried = middle, narrower, middle - start
        else:
            start = middle
            if start == end:  # the last item was refused in a batch and accepted alone: it is good
                return start, None
    return start + 1, Refusal(start, error)
