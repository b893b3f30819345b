"""Is the pipeline getting anywhere? Health means progress, not a process that answers."""

import threading
import time
from collections.abc import Callable
from typing import Final

#: One batch may take so many times longer than all together: a slow machine reads a batch of long tickets for minutes.
_ALONE: Final = 10


class Progress:
    """Clocks: the last poll, the last sign of life of the work in flight, and that of each batch. Thread-safe.

    A try that failed on an outage counts as life: restarting the task would not bring the index back. A thread
    that hangs does not, be the others as lively as they may: its batch holds back the commit of all that follow.
    """

    def __init__(self, *, max_stall_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._max_stall_s = max_stall_s
        self._lock = threading.Lock()
        self._polled = clock()
        self._moved = clock()
        self._inflight = 0
        self._batches: dict[int, float] = {}  # by the thread that has it
        self._outages: dict[str, str] = {}

    def polled(self) -> None:
        """A poll has begun."""
        self._polled = self._clock()

    def submitted(self) -> None:
        """A batch was handed to the writer."""
        with self._lock:
            if self._inflight == 0:
                self._moved = self._clock()
            self._inflight += 1

    def began(self) -> None:
        """This thread takes up a batch."""
        with self._lock:
            self._move()

    def called(self, dependency: str, outage: str | None) -> None:
        """A call of `dependency` ended: with an outage, which is described, or without."""
        with self._lock:
            self._move()
            if outage is not None:
                self._outages[dependency] = outage
            else:
                self._outages.pop(dependency, None)

    def waiting(self) -> None:
        """This thread's batch waits for its turn: that is no hang."""
        with self._lock:
            self._move()

    def finished(self) -> None:
        """This thread's batch left the writer."""
        with self._lock:
            self._inflight -= 1
            self._move()
            self._batches.pop(threading.get_ident(), None)

    def stall(self) -> str | None:
        """Why the pipeline counts as stuck, or None when it moves."""
        now = self._clock()
        if now - self._polled > self._max_stall_s:
            return f"no poll for {now - self._polled:.0f} s"
        if self._inflight and now - self._moved > self._max_stall_s:
            return f"work in flight has not moved for {now - self._moved:.0f} s"
        with self._lock:
            oldest = min(self._batches.values(), default=now)
        if now - oldest > self._max_stall_s * _ALONE:
            return f"a batch has not moved for {now - oldest:.0f} s, though others do"
        return None

    @property
    def outage(self) -> str | None:
        """What the last writes failed on, of each target that is out; None when all answer."""
        with self._lock:
            return "; ".join(f"{dependency}: {outage}" for dependency, outage in sorted(self._outages.items())) or None

    def _move(self) -> None:
        self._moved = self._batches[threading.get_ident()] = self._clock()
