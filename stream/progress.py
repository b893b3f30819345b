"""Liveness by progress: a pipeline is healthy while its work advances."""

import threading
import time
from collections.abc import Callable
from typing import Final

#: A single batch may be inactive this many times longer than the pipeline: long tickets can take minutes.
_BATCH_FACTOR: Final = 10


class Progress:
    """Records when the last poll, the last activity of any batch and each batch's last activity were. Thread-safe.

    A call that failed on an outage counts as activity: restarting the task would not bring the index back. A thread
    that hangs is a stall even if the others are active: its batch holds back every later commit.
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
        """This thread has begun to process a batch."""
        with self._lock:
            self._move()

    def called(self, dependency: str, outage: str | None) -> None:
        """A call of `dependency` ended. `outage` describes why it failed, and is None if it didn't."""
        with self._lock:
            self._move()
            if outage is not None:
                self._outages[dependency] = outage
            else:
                self._outages.pop(dependency, None)

    def waiting(self) -> None:
        """This thread's batch waits for its turn, which is not a hang."""
        with self._lock:
            self._move()

    def advanced(self) -> None:
        """This thread has done a part of a step. Ignored if it has no batch."""
        with self._lock:
            if threading.get_ident() in self._batches:
                self._move()

    def finished(self) -> None:
        """This thread has finished its batch, or given it up."""
        with self._lock:
            self._inflight -= 1
            self._move()
            self._batches.pop(threading.get_ident(), None)

    def stall(self) -> str | None:
        """The reason why the pipeline counts as stuck, or None."""
        now = self._clock()
        if now - self._polled > self._max_stall_s:
            return f"no poll for {now - self._polled:.0f} s"
        if self._inflight and now - self._moved > self._max_stall_s:
            return f"work in flight has made no progress for {now - self._moved:.0f} s"
        with self._lock:
            oldest = min(self._batches.values(), default=now)
        if now - oldest > self._max_stall_s * _BATCH_FACTOR:
            return f"one batch has made no progress for {now - oldest:.0f} s, while others have"
        return None

    @property
    def outage(self) -> str | None:
        """The last error of each dependency that is out, or None when all answer."""
        with self._lock:
            return "; ".join(f"{dependency}: {outage}" for dependency, outage in sorted(self._outages.items())) or None

    def _move(self) -> None:
        self._moved = self._batches[threading.get_ident()] = self._clock()
