"""A clock for time limits: it counts the seconds of a machine that has nothing else to do.

A limit in seconds fails on a busy machine although the code is as fast as ever. This clock slows down with the
machine: several times a second a thread does a fixed piece of work, and the clock advances by the time the piece
needs, not by the time it took. Waiting on a calm machine counts in full; time in which the machine, or this process,
had no processor for the thread doesn't.

It lags by one round, a third of a second, so it is for limits of seconds.
"""

import hashlib
import math
import threading
import time
from typing import Final

_REST_S: Final = 0.3
#: About 20 ms on a processor of 2024. OpenSSL computes it without holding the interpreter.
_ITERATIONS: Final = 110_000


class CalmClock:
    """Returns seconds since its first call. Thread-safe; the thread starts with the first call."""

    def __init__(self) -> None:
        self._now_s = 0.0
        self._speed = 1.0
        self._best_s = math.inf
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def __call__(self) -> float:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="calm clock", daemon=True)
                self._thread.start()
        return self._now_s

    @property
    def speed(self) -> float:
        """Share of a calm machine's speed that was left in the last round, 1 at most."""
        return self._speed

    def advance(self, *, round_s: float, worked_s: float, needed_s: float) -> None:
        """Count one round of rest and work.

        Args:
            round_s: duration of the whole round.
            worked_s: duration of its piece of work.
            needed_s: processor time of that piece.
        """
        self._best_s = min(self._best_s, needed_s)
        counted_s = min(_REST_S + self._best_s, round_s * min(1.0, self._best_s / worked_s))
        self._now_s += counted_s
        self._speed = counted_s / round_s

    def _run(self) -> None:
        while True:
            began = time.monotonic()
            time.sleep(_REST_S)
            awake, processor = time.monotonic(), time.thread_time()
            hashlib.pbkdf2_hmac("sha256", b"calm", b"clock", _ITERATIONS)
            needed, ended = time.thread_time() - processor, time.monotonic()
            self.advance(round_s=ended - began, worked_s=ended - awake, needed_s=needed)


#: The one clock of this process: there is one machine.
calm_clock: Final = CalmClock()
