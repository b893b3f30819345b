"""A token bucket: bounds a rate, and lets a burst of one second pass."""

import time
from collections.abc import Callable


class TokenBucket:
    """Bounds how many items pass in a second. One thread at a time may use it."""

    def __init__(self, per_s: float | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        """A full bucket. None bounds nothing."""
        self._per_s = per_s
        self._clock = clock
        self._tokens = per_s or 0.0
        self._at = clock()

    def set_rate(self, per_s: float | None) -> None:
        """Change the rate from now on."""
        self._fill()
        self._per_s = per_s

    def take(self, items: int) -> float:
        """Take tokens for `items`, on credit if there are too few. Returns the seconds to wait before they may pass."""
        if self._per_s is None:
            return 0.0
        self._fill()
        self._tokens -= items
        return max(0.0, -self._tokens / self._per_s)

    def _fill(self) -> None:
        now = self._clock()
        if self._per_s is not None:
            self._tokens = min(self._per_s, self._tokens + (now - self._at) * self._per_s)
        self._at = now
