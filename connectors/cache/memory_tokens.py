"""Tokens per tenant and day, counted in this process."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from core.language_model import Reservation

_DAY_S: Final = 86_400


class DailyTokens:
    """Implements `core.language_model.TokenBudget`. A restart resets the counts."""

    def __init__(self, limit: int, *, clock: Callable[[], float] = time.time) -> None:
        """Each tenant has `limit` tokens a day; 0 means no limit. `clock` gives seconds since 1970."""
        self._limit = limit
        self._clock = clock
        self._day = 0
        self._used: Counter[str] = Counter()
        self._lock = threading.Lock()

    def reserve(self, tenant_id: str, tokens: int) -> Reservation | None:
        """See `TokenBudget`."""
        with self._lock:
            day = int(self._clock() // _DAY_S)
            # setting the clock back by a day doesn't restore the day's tokens; one that was far ahead is corrected
            if day > self._day or day < self._day - 1:
                self._day = day
                self._used.clear()
            if self._limit and self._used[tenant_id] + tokens > self._limit:
                return None
            self._used[tenant_id] += tokens
            return Reservation(tenant_id, self._day, tokens)

    def used(self, tenant_id: str) -> int:
        """The tenant's tokens of the day, reservations included."""
        with self._lock:
            return self._used[tenant_id]

    def settle(self, reservation: Reservation, used: int) -> None:
        """See `TokenBudget`."""
        with self._lock:
            if reservation.day == self._day:
                self._used[reservation.tenant_id] += used - reservation.tokens
