"""Waits between attempts: exponential backoff with jitter."""

from random import Random
from typing import Final

from core.errors import TransientError

#: Ceiling of the first wait; it doubles with every attempt.
BASE_S: Final = 0.1
#: Cap on Retry-After: a server may recover sooner than it announced.
RETRY_AFTER_MAX_S: Final = 60.0


class Backoff:
    """Exponential backoff with full jitter (Brooker, "Exponential Backoff And Jitter", AWS, 2015).

    A Retry-After of the server is honoured up to `RETRY_AFTER_MAX_S`; jitter only lengthens it.
    """

    def __init__(self, *, cap_s: float, rng: Random, base_s: float = BASE_S) -> None:
        self._base_s = base_s
        self._cap_s = cap_s
        self._rng = rng

    def delay_s(self, attempt: int, error: TransientError | None = None) -> float:
        """Seconds to wait after failed attempt number `attempt`, counted from 0."""
        ceiling = min(self._cap_s, self._base_s * 2.0 ** min(attempt, 32))
        if error is not None and error.retry_after_s is not None:
            return min(RETRY_AFTER_MAX_S, error.retry_after_s) + self._rng.uniform(0, self._base_s)
        return self._rng.uniform(0, ceiling)
