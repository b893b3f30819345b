"""Random choices that a seed makes again, though several threads are at work."""

import threading
from collections.abc import Iterator
from random import Random

from synthetic.tickets import SyntheticRecord, events


class Choices(Random):
    """The random choices of one attack, for the thread that made it and no other.

    Two threads that drew from it would share the sequence as the machine schedules them, and a seed would not replay.
    """

    def __init__(self, seed: str) -> None:
        self._owner = threading.get_ident()
        super().__init__(seed)

    def random(self) -> float:
        self._require_owner()
        return super().random()

    def getrandbits(self, k: int, /) -> int:
        self._require_owner()
        return super().getrandbits(k)

    def _require_owner(self) -> None:
        assert threading.get_ident() == self._owner, "an attack's choices are drawn on another thread: fork them"


def fork(rng: Random) -> Random:
    """A generator for another thread, that follows from `rng` as it is now."""
    return Random(rng.getrandbits(64))


def mixed(rng: Random) -> Iterator[SyntheticRecord]:
    """Records without end: new tickets, edits, deletes and what can't be used, out of order."""
    return shuffled(events(10**9, seed=rng.randrange(10**6), edits=0.35, deletes=0.06, broken=0.03), rng)


def shuffled(records: Iterator[SyntheticRecord], rng: Random, *, window: int = 40) -> Iterator[SyntheticRecord]:
    """The same records, each up to a window late: older versions come after newer ones, deletes before edits.

    Nothing is drawn from `rng` after the call, so another thread may take them.
    """
    return _shuffled(records, fork(rng), window)


def _shuffled(records: Iterator[SyntheticRecord], rng: Random, window: int) -> Iterator[SyntheticRecord]:
    held: list[SyntheticRecord] = []
    for record in records:
        held.append(record)
        if len(held) >= window:
            yield held.pop(rng.randrange(len(held)))
    rng.shuffle(held)
    yield from held
