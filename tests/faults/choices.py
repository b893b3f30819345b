"""Random choices that follow from a seed, even with several threads."""

import threading
from collections.abc import Iterator
from random import Random

from synthetic.tickets import SyntheticRecord, events


class Choices(Random):
    """The random choices of one attack, confined to the thread that created it.

    If two threads drew from it, the scheduler would decide which of them gets which number.
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
        assert threading.get_ident() == self._owner, "random choices are confined to one thread; use fork"


def fork(rng: Random) -> Random:
    """A generator for another thread, seeded from `rng`."""
    return Random(rng.getrandbits(64))


def mixed(rng: Random) -> Iterator[SyntheticRecord]:
    """An endless stream of new tickets, edits, deletes and bad records, out of order."""
    return shuffled(events(10**9, seed=rng.randrange(10**6), edits=0.35, deletes=0.06, broken=0.03), rng)


def shuffled(records: Iterator[SyntheticRecord], rng: Random, *, window: int = 40) -> Iterator[SyntheticRecord]:
    """The same records, each delayed by about `window` places, so that older versions come after newer ones.

    `rng` is used only during the call, so another thread may consume the records.
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
