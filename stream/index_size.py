"""Counts the index now and then, for the metrics."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from core.errors import TicketstreamError
from core.index import IndexSize
from stream.telemetry import StreamTelemetry

#: Minimum time between counts, in seconds and as a multiple of a count, which takes 2 ms for 60,000 points.
_COUNT_S: Final = 30.0
_COUNT_FACTOR: Final = 200
#: Maximum wait of `close` for a count, in seconds.
_CLOSE_S: Final = 3.0


class SizeWatch:
    """Counts the index periodically on its own thread, for the metrics."""

    def __init__(self, size: Callable[[], IndexSize], telemetry: StreamTelemetry) -> None:
        self._size = size
        self._telemetry = telemetry
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="index-size", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self._closed.set()
        self._thread.join(_CLOSE_S)

    def _run(self) -> None:
        while not self._closed.is_set():
            began = time.monotonic()
            with suppress(TicketstreamError):  # writes report an outage
                size = self._size()
                self._telemetry.gauge("tickets_index_points", size.points)
                self._telemetry.gauge("tickets_index_tombstones", size.tombstones)
                self._telemetry.gauge("tickets_index_tickets", size.tickets)
            self._closed.wait(max(_COUNT_S, _COUNT_FACTOR * (time.monotonic() - began)))
