"""Monitors the store and the outbox, so that probes and requests don't wait for them."""

import threading
import time
from collections.abc import Callable
from typing import Final

from core.errors import FatalError, TicketstreamError, TransientError
from core.ticket_store import Outbox, OutboxSize, TicketStore
from services.http.problems import unavailable

#: /ready warns from this age of the oldest event on.
_OLD_S: Final = 30.0
_RETRY_AFTER_S: Final = 5.0
_MS: Final = 1_000


class Monitor:
    """The last known state of store and broker. Thread-safe."""

    def __init__(
        self,
        store: TicketStore,
        outbox: Outbox,
        *,
        max_events: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """A monitor without a state yet.

        Args:
            store: pinged.
            outbox: measured.
            max_events: maximum events in the outbox; beyond it changes are refused.
            clock: seconds since the epoch.
        """
        self._store = store
        self._outbox = outbox
        self._max_events = max_events
        self._clock = clock
        self._lock = threading.Lock()
        self._size = OutboxSize(0, None)
        self._added = 0
        self._store_fault: str | None = None
        self.broker_fault: str | None = None
        self.refused_fault: str | None = None

    def look(self) -> None:
        """Ping the store and measure the outbox. Raises nothing."""
        with self._lock:
            before = self._added
        try:
            self._store.ping()
            size = self._outbox.size()
        except (TransientError, FatalError) as error:
            self._store_fault = str(error)
            return
        with self._lock:
            self._size, self._added = size, self._added - before
        self._store_fault = None

    def added(self) -> None:
        """Count a change that was written since the last check."""
        with self._lock:
            self._added += 1

    def admit(self) -> None:
        """Return if the outbox has room for another event.

        Raises:
            Problem: it is full.
        """
        if self.events >= self._max_events:
            raise unavailable(
                "Too many changes wait for the broker, and none is accepted until it answers again.",
                retry_after_s=_RETRY_AFTER_S,
            )

    @property
    def events(self) -> int:
        """Approximate number of events in the outbox, without other processes' changes since the last check."""
        with self._lock:
            return self._size.events + self._added

    @property
    def age_s(self) -> float:
        """Age of the oldest event in the outbox, in seconds; 0 if it is empty."""
        oldest_ms = self._size.oldest_ms
        return 0.0 if oldest_ms is None else max(0.0, self._clock() - oldest_ms / _MS)

    def not_ready(self) -> str | None:
        """The reason why no request can be answered, or None."""
        return None if self._store_fault is None else "The store of tickets can't be reached."

    def warning(self) -> str | None:
        """The fault on the way to the topic, or None."""
        if not self.events:
            return None
        fault = self.broker_fault or self.refused_fault
        if fault is None and self.age_s < _OLD_S:
            return None
        waits = f"{self.events} changes wait for the topic, the oldest for {self.age_s:.0f} s"
        return waits if fault is None else f"{waits}: {fault}"

    def note_broker(self, error: TicketstreamError | None) -> None:
        """Note that the broker has acknowledged events, or has failed."""
        self.broker_fault = None if error is None else str(error)
