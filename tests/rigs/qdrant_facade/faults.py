"""Faults of a server, the calls that they hit, and counts of calls and faults."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Final, Literal, get_args

import grpc
from msgspec import Struct, field

#: Calls by purpose: updates, nearest neighbours, other reads of points, and the rest (collections).
Kind = Literal["writes", "notes", "searches", "reads", "other"]

What = Literal[
    "down",  # the port is closed and the connections are broken, until `heal`
    "slow",  # handled after `seconds`, even if the client no longer waits
    "hang",  # not answered and not applied
    "reset",  # the connections are broken by RST, the call is not applied
    "error",  # answered with `code`, and `retry_after_s` in the real server's form; not applied
    "response_lost",  # a write is applied, the answer is UNAVAILABLE
    "applied_late",  # a write is answered with DEADLINE_EXCEEDED, and applied `seconds` later
    "partly_applied",  # the first half of a write's points is applied, the answer is INTERNAL
    "wait_timeout",  # a write is answered with `status`, and applied `seconds` later, or never if None
    "refuses_point",  # a write with a point of `ticket_id` is INVALID_ARGUMENT; none of its points is applied
]

_OF_WRITES: Final = {"response_lost", "applied_late", "partly_applied", "wait_timeout", "refuses_point"}
_NEEDS: Final[dict[str, str]] = {"slow": "seconds", "applied_late": "seconds", "refuses_point": "ticket_id"}


class Fault(Struct, frozen=True, omit_defaults=True):
    """One fault. It hits calls of kind `on`, at most `times` of them (None: all), each with probability `share`."""

    what: What
    on: Kind | Literal["all"] = "all"
    times: int | None = None
    share: float = 1.0
    seed: int = 0
    seconds: float | None = None
    code: str = "INTERNAL"
    retry_after_s: int | None = None
    status: Literal["acknowledged", "wait_timeout"] = "wait_timeout"
    ticket_id: str | None = None

    def __post_init__(self) -> None:
        """Reject a fault that can't occur: a test with it would prove nothing."""
        needed = _NEEDS.get(self.what)
        if needed is not None and getattr(self, needed) is None:
            raise ValueError(f"{self.what} needs {needed}")
        if self.what in _OF_WRITES and self.on not in {"all", "writes"}:
            raise ValueError(f"{self.what} happens to writes only")
        if self.code not in grpc.StatusCode.__members__:
            raise ValueError(f"gRPC has no status {self.code}")
        if self.what == "down" and (self.on, self.times, self.share) != ("all", None, 1.0):
            raise ValueError("a server is down for every call, until the heal")


class Counts(Struct):
    """Counts since the facade started. A call counts when it arrives, a point when it is applied."""

    calls: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(get_args(Kind), 0))
    concurrent: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(get_args(Kind), 0))
    highest_concurrency: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(get_args(Kind), 0))
    faults: dict[str, int] = field(default_factory=dict)
    points_written: int = 0


class Faults:
    """The faults injected now, and the counts. Safe to call from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[tuple[Fault, Random]] = []
        self._happened: Counter[int] = Counter()  # by place in `_armed`
        self._counts = Counts()
        self.healed = threading.Event()

    def inject(self, *faults: Fault) -> None:
        """Add `faults`. A call is hit by the first that applies."""
        with self._lock:
            self._armed += [(fault, Random(fault.seed)) for fault in faults]

    def heal(self) -> None:
        """Remove all faults; hanging calls end unapplied."""
        with self._lock:
            self._armed = []
            self._happened.clear()
            self.healed.set()
            self.healed = threading.Event()

    def due(self, kind: Kind, holds: Callable[[str], bool]) -> Fault | None:
        """The fault that hits a new call of `kind`, or None. `holds` tells whether the call has a point of a ticket."""
        with self._lock:
            for place, (fault, rng) in enumerate(self._armed):
                if fault.on not in {"all", kind} or (fault.what in _OF_WRITES and kind != "writes"):
                    continue
                if fault.times is not None and self._happened[place] >= fault.times:
                    continue
                if fault.ticket_id is not None and not holds(fault.ticket_id):
                    continue
                if fault.share < 1 and rng.random() >= fault.share:
                    continue
                self._happened[place] += 1
                return fault
        return None

    def happened(self, what: What) -> None:
        """Count a fault that hit a call."""
        with self._lock:
            self._counts.faults[what] = self._counts.faults.get(what, 0) + 1

    def wrote(self, points: int) -> None:
        """Count points that were applied."""
        with self._lock:
            self._counts.points_written += points

    @contextmanager
    def call(self, kind: Kind) -> Iterator[None]:
        """Count a call, and the calls of its kind in progress."""
        counts = self._counts
        with self._lock:
            counts.calls[kind] += 1
            counts.concurrent[kind] += 1
            counts.highest_concurrency[kind] = max(counts.highest_concurrency[kind], counts.concurrent[kind])
        try:
            yield
        finally:
            with self._lock:
                counts.concurrent[kind] -= 1

    def counts(self) -> Counts:
        """A copy of the current counts."""
        with self._lock:
            seen = self._counts
            return Counts(
                dict(seen.calls),
                dict(seen.concurrent),
                dict(seen.highest_concurrency),
                dict(seen.faults),
                seen.points_written,
            )
