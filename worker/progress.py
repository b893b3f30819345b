"""Is the pipeline getting anywhere? Health means progress, not a process that answers."""

import threading
import time
from collections.abc import Callable


class Progress:
    """Two clocks: the last poll, and the last sign of life of the work in flight. Thread-safe.

    A try that failed on an outage counts as life: restarting the task would not bring the index back. A thread
    that hangs does not.
    """

    def __init__(self, *, max_stall_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._max_stall_s = max_stall_s
        self._lock = threading.Lock()
        self._polled = clock()
        self._moved = clock()
        self._inflight = 0
        self._outage: str | None = None

    def polled(self) -> None:
        """A poll has begun."""
        self._polled = self._clock()

    def started(self) -> None:
        """A batch was handed to the writer."""
        with self._lock:
            if self._inflight == 0:
                self._moved = self._clock()
            self._inflight += 1

    def tried(self, outage: str | None) -> None:
        """A write was tried; `outage` says what went wrong, None that it went well."""
        with self._lock:
            self._moved = self._clock()
            self._outage = outage

    def finished(self) -> None:
        """A batch left the writer."""
        with self._lock:
            self._inflight -= 1
            self._moved = self._clock()

    def stall(self) -> str | None:
        """Why the pipeline counts as stuck, or None when it moves."""
        now = self._clock()
        if now - self._polled > self._max_stall_s:
            return f"no poll for {now - self._polled:.0f} s"
        if self._inflight and now - self._moved > self._max_stall_s:
            return f"work in flight has not moved for {now - self._moved:.0f} s"
        return None

    @property
    def outage(self) -> str | None:
        """What the last write failed on, or None."""
        return self._outage
