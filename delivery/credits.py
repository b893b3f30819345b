"""How much may be on its way at once, in batches, tickets and bytes: the bound on memory, and the backpressure.

A batch is admitted while no limit is reached, so the sum may pass a limit by at most one batch: the size of a poll is
capped by its own setting and by the client's prefetch. The limit of batches makes them follow the load: while every
writer is busy nothing is read, and what has come meanwhile is the next batch.
"""

import threading


class Credits:
    """Thread-safe: the consumer takes, writers give back."""

    def __init__(self, *, tickets: int, bytes_: int, batches: int | None = None) -> None:
        """`batches` None: as many as the others allow."""
        self._tickets_limit = tickets
        self._bytes_limit = bytes_
        self._batches_limit = batches
        self._batches = 0
        self._tickets = 0
        self._bytes = 0
        self._freed = threading.Condition()

    @property
    def tickets(self) -> int:
        """Tickets on their way."""
        return self._tickets

    @property
    def bytes(self) -> int:
        """Bytes on their way."""
        return self._bytes

    def room(self) -> int:
        """How many tickets may be read now; 0 when a limit is reached."""
        with self._freed:
            return self._room()

    def wait_for_room(self, timeout_s: float) -> int:
        """As `room`, after waiting at most `timeout_s` for some."""
        with self._freed:
            self._freed.wait_for(lambda: self._room() > 0, timeout_s)
            return self._room()

    def take(self, tickets: int, bytes_: int) -> None:
        """A batch is on its way."""
        with self._freed:
            self._batches += 1
            self._tickets += tickets
            self._bytes += bytes_

    def give_back(self, tickets: int, bytes_: int) -> None:
        """A batch has arrived."""
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
