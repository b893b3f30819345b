"""Watches the store and the outbox, so that probes and requests have an answer at once."""

import threading
import time
from collections.abc import Callable
from typing import Final

from core.errors import FatalError, TicketstreamError, TransientError
from core.ticket_store import Outbox, OutboxSize, TicketStore
from services.http.problems import unavailable

#: Age of the oldest event from which /ready warns.
_OLD_S: Final = 30.0
_RETRY_AFTER_S: Final = 5.0
_MS: Final = 1_000


class Monitor:
    """What was last seen of store and broker. Safe to use from any thread."""

    def __init__(
        self,
        store: TicketStore,
        outbox: Outbox,
        *,
        max_events: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """A monitor that has seen nothing yet.

        Args:
            store: pinged.
            outbox: measured.
            max_events: of the outbox; with more, changes are refused.
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
        """A change was written since the last look."""
        with self._lock:
            self._added += 1

    def admit(self) -> None:
        """Return if the outbox has room for another event.

        Raises:
            Problem: it is full.
        """
        if self.events >= self._max_events:
            raise unavailable(
                "Too many changes wait for the broker; none is accepted until it answers again.",
                retry_after_s=_RETRY_AFTER_S,
            )

    @property
    def events(self) -> int:
        """Events in the outbox, about: other processes' changes since the last look are missing."""
        with self._lock:
            return self._size.events + self._added

    @property
    def age_s(self) -> float:
        """Age of the oldest event in the outbox, in seconds; 0 if it is empty."""
        oldest_ms = self._size.oldest_ms
        return 0.0 if oldest_ms is None else max(0.0, self._clock() - oldest_ms / _MS)

    def not_ready(self) -> str | None:
        """Why no request can be answered, or None."""
        return None if self._store_fault is None else "The store of tickets can't be reached."

    def warning(self) -> str | None:
        """What is wrong with the way to the topic, or None."""
        if not self.events:
            return None
        fault = self.broker_fault or self.refused_fault
        if fault is None and self.age_s < _OLD_S:
            return None
        waits = f"{self.events} changes wait for the topic, the oldest for {self.age_s:.0f} s"
        return waits if fault is None else f"{waits}: {fault}"

    def note_broker(self, error: TicketstreamError | None) -> None:
        """The broker has acknowledged events, or failed to."""
        self.broker_fault = None if error is None else str(error)
