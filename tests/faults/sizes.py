"""The sizes of a run and its seed: `EVERY_RUN` for `make test` and `make faults`, `SOAK` for `make soak`."""

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
    """Numbers, durations and rates of the attacks.

    Attributes:
        kills: SIGKILLs over all lanes, those at failpoints included.
        kills_per_failpoint: SIGKILLs at each failpoint.
        max_poll_s: the poll interval during an outage.
        outage_s: duration of an outage of the index.
        storm_records: records of a rebalance storm.
        storm_rate: records a second during a storm.
        broker_rounds: how often each fault of a Kafka cluster is made.
        overload_s: duration of the overload.
        minutes: limit of the run; half of it is for the parallel attacks.
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
    minutes=math.inf,  # no limit, because every count must be reached
)
SOAK: Final = Sizes(
    kills=1_000,
    kills_per_failpoint=50,
    max_poll_s=8,
    outage_s=600,
    storm_records=1_000_000,
    storm_rate=450,  # the most that two cores carry beside three brokers
    broker_rounds=5,
    overload_s=1_800,
    minutes=240,
)


class Run:
    """The sizes, the seed and the clock of a run."""

    def __init__(self) -> None:
        given = os.environ.get(_SEED)
        self.seed = int(given) if given else SystemRandom().randrange(10**6)
        self.soak = bool(os.environ.get(_SOAK))
        self.sizes = SOAK if self.soak else EVERY_RUN
        minutes = os.environ.get(_MINUTES)
        #: Only a soak of given minutes may miss its counts.
        self.may_end_early = self.soak and bool(minutes)
        self._minutes = float(minutes) if minutes else self.sizes.minutes
        self._began: float | None = None

    def begin(self) -> None:
        """Start the clock, if it isn't running."""
        if self._began is None:
            self._began = time.monotonic()

    def rng(self, name: str) -> Choices:
        """The random choices of one attack. They depend on the seed and the name only, and on no other attack.

        They are confined to the calling thread; `fork` makes a generator for another one.
        """
        return Choices(f"{self.seed}/{name}")

    def say(self, words: str) -> None:
        """Print the progress of a soak."""
        if self.soak:
            print(f"{time.strftime('%H:%M:%S')} {words}", flush=True)

    def half_over(self, share: float = 1.0) -> bool:
        """Whether `share` of the parallel attacks' time is spent, which is half of the run's."""
        return self._spent_s() > 30 * self._minutes * share

    @property
    def over(self) -> bool:
        """Whether all of its time is spent."""
        return self._spent_s() > 60 * self._minutes

    def at_most(self, wanted_s: int, least_s: int) -> int:
        """`wanted_s`, limited to the parallel attacks' remaining time, but at least `least_s`."""
        return round(min(wanted_s, max(least_s, 30 * self._minutes - self._spent_s())))

    def _spent_s(self) -> float:
        return 0.0 if self._began is None else time.monotonic() - self._began
