"""How much a run does, and its seed: `make test` and `make faults` take one column, `make soak` the other."""

import math
import os
import time
from random import SystemRandom
from typing import Final

from msgspec import Struct

from tests.faults.choices import Choices

_SEED: Final = "TICKETS_TEST_SEED"
_SOAK: Final = "TICKETS_TEST_SOAK"
_MINUTES: Final = "TICKETS_TEST_MINUTES"


class Sizes(Struct, frozen=True, kw_only=True):
    """Counts of attacks, and seconds and records of each.

    Attributes:
        kills: SIGKILLs at random moments, over all lanes.
        kills_per_failpoint: SIGKILLs at each named point.
        outage_s: how long the index is out; a worker that doesn't poll is evicted after `max_poll_s`.
        storm_records: written while workers join and leave, `storm_rate` a second.
        broker_rounds: times each fault of a cluster is made.
        overload_s: how long ten times too much is sent.
        minutes: a run ends after this time, its counts reached or not; half of it is for the attacks side by side.
    """

    kills: int
    kills_per_failpoint: int
    max_poll_s: int
    outage_s: int
    storm_records: int
    storm_rate: int
    broker_rounds: int
    overload_s: int
    minutes: float


EVERY_RUN: Final = Sizes(
    kills=25,
    kills_per_failpoint=1,
    max_poll_s=8,
    outage_s=12,
    storm_records=1_800,
    storm_rate=120,
    broker_rounds=1,
    overload_s=10,
    minutes=math.inf,  # a busy machine takes longer, and every count is reached
)
SOAK: Final = Sizes(
    kills=1_000,
    kills_per_failpoint=50,
    max_poll_s=8,
    outage_s=600,
    storm_records=1_000_000,
    storm_rate=450,  # a machine of two cores carries no more beside three brokers
    broker_rounds=5,
    overload_s=1_800,
    minutes=240,
)


class Run:
    """One run of the attacks: its sizes, its seed, its clock, which starts with `begin`."""

    def __init__(self) -> None:
        given = os.environ.get(_SEED)
        self.seed = int(given) if given else SystemRandom().randrange(10**6)
        self.soak = bool(os.environ.get(_SOAK))
        self.sizes = SOAK if self.soak else EVERY_RUN
        minutes = os.environ.get(_MINUTES)
        #: A person who names the minutes wants what they are enough for; any other run must reach its counts.
        self.may_end_early = self.soak and bool(minutes)
        self._minutes = float(minutes) if minutes else self.sizes.minutes
        self._began: float | None = None

    def begin(self) -> None:
        """The time runs from now, unless it does already: other tests may come first."""
        if self._began is None:
            self._began = time.monotonic()

    def rng(self, name: str) -> Choices:
        """The random choices of one attack: the same for the same seed, whatever else runs, in whatever order.

        They belong to the thread that asks; `fork` makes those of another.
        """
        return Choices(f"{self.seed}/{name}")

    def say(self, words: str) -> None:
        """Tell a person who waits for hours how far it is."""
        if self.soak:
            print(f"{time.strftime('%H:%M:%S')} {words}", flush=True)

    def half_over(self, share: float = 1.0) -> bool:
        """Half of its time is spent: attacks side by side leave the rest to those that come one by one.

        `share`: of that half; those that follow each other in a lane leave each other some.
        """
        return self._spent_s() > 30 * self._minutes * share

    @property
    def over(self) -> bool:
        """All of its time is spent."""
        return self._spent_s() > 60 * self._minutes

    def at_most(self, wanted_s: int, least_s: int) -> int:
        """As many seconds as an attack beside others wants, and no more than they have left; but `least_s`."""
        return round(min(wanted_s, max(least_s, 30 * self._minutes - self._spent_s())))

    def _spent_s(self) -> float:
        return 0.0 if self._began is None else time.monotonic() - self._began
