"""Limits on work in flight, in batches, tickets and bytes: they bound memory and cause backpressure.

A batch is admitted while no limit is reached, so a limit may be exceeded by at most one batch. The limit on batches
also adapts their size to the load: while all writers are busy nothing is read, so the next batch is larger.
"""

import threading


class Credits:
    """Taken by the consumer, given back by writers. Thread-safe."""

    def __init__(self, *, tickets: int, bytes_: int, batches: int | None = None) -> None:
        """Without `batches` any number of batches may be in flight."""
        self._tickets_limit = tickets
        self._bytes_limit = bytes_
        self._batches_limit = batches
        self._batches = 0
        self._tickets = 0
        self._bytes = 0
        self._freed = threading.Condition()

    @property
    def tickets(self) -> int:
        """Tickets in flight."""
        return self._tickets

    @property
    def bytes(self) -> int:
        """Bytes in flight."""
        return self._bytes

    def room(self) -> int:
        """How many tickets may be read now; 0 when a limit is reached."""
        with self._freed:
            return self._room()

    def wait_for_room(self, timeout_s: float) -> int:
        """Wait at most `timeout_s` until `room` is not 0, and return it."""
        with self._freed:
            self._freed.wait_for(lambda: self._room() > 0, timeout_s)
            return self._room()

    def take(self, tickets: int, bytes_: int) -> None:
        """Take credit for a batch."""
        with self._freed:
            self._batches += 1
            self._tickets += tickets
            self._bytes += bytes_

    def give_back(self, tickets: int, bytes_: int) -> None:
        """Give back the credit of a finished batch."""
        with self._freed:
            self._batches -= 1
            self._tickets -= tickets
            self._bytes -= bytes_
            self._freed.notify_all()

    def _room(self) -> int:
        if self._bytes >= self._bytes_limit:
            return 0
        if self._batches_limit is not None and self._batches >= self._batches_limit:
            return 0
        return max(0, self._tickets_limit - self._tickets)
