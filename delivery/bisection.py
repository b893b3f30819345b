"""A batch is refused for its data: which of it is at fault?"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec import Struct

from core.errors import RefusedError

T = TypeVar("T")


class Refusal(Struct, frozen=True):
    """The item at `at` is refused by itself."""

    at: int
    error: RefusedError


def write_all(items: Sequence[T], write: Callable[[Sequence[T]], None]) -> list[Refusal]:
    """Write every item that is accepted; the others are returned. Nobody is blamed who was not refused alone.

    The first bad item is found by binary search, and what comes before it is written on the way. One bad item among n
    costs log2(n) + 3 calls beside the first at most. After each one found the next try is half as long, after a
    success twice: where all are bad that comes to little more than a call for each. (Of the kin of Hwang's
    generalised binary splitting, 1972.)

    Args:
        items: in order; each ends in exactly one accepted call, or is returned.
        write: raises RefusedError when any of what it was given is bad. Whatever else it raises is passed on: an
            outage is nobody's fault.
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
    """Write items from `start` up to the first bad one. Where to go on, and that one.

    `items[start:end]` was refused with `error`.
    """
    tried = end - start  # how many the last refused call held
    while tried > 1:
        middle = start + max(1, (end - start) // 2)
        try:
            write(items[start:middle])
        except RefusedError as narrower:
            end, error, tried = middle, narrower, middle - start
        else:
            start = middle
            if start == end:  # refused in company, accepted alone: nothing is wrong with it
                return start, None
    return start + 1, Refusal(start, error)
