"""What each thread did when: a file that a browser's trace viewer opens (ui.perfetto.dev, about:tracing).

The format is Chrome's trace events, as a JSON array whose closing bracket may be missing: a killed process leaves a
file that can be read (https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU).
"""

import logging
import os
import threading
import time
from pathlib import Path
from typing import Final

import msgspec

from core.errors import ConfigError

logger: Final = logging.getLogger("ticketstream.trace")

#: Beyond it the file would be too large for a viewer: some 200 bytes each.
_MAX_EVENTS: Final = 500_000
_US: Final = 1e6


class Trace:
    """Writes spans to a file. Thread-safe; a disk that refuses ends the trace and not the stream."""

    def __init__(self, path: Path, *, max_events: int = _MAX_EVENTS) -> None:
        """Open the file, anew.

        Raises:
            ConfigError: it can't be written.
        """
        try:
            self._file = path.open("wb")
        except OSError as error:
            raise ConfigError(f"TICKETS_LOG__TRACE_FILE: can't write {path} ({error.strerror})") from None
        self._left = max_events
        self._lock = threading.Lock()
        self._named: set[int] = set()
        self._began = time.perf_counter()
        self._file.write(b"[\n")

    def span(self, name: str, seconds: float, **facts: int) -> None:
        """This thread did `name` for so long, until now."""
        thread, now = threading.get_ident(), time.perf_counter()
        place = {"pid": os.getpid(), "tid": thread}
        events: list[dict[str, object]] = []
        with self._lock:
            if self._left <= 0:
                return
            self._left -= 1
            if thread not in self._named:
                self._named.add(thread)
                label = {"name": threading.current_thread().name}
                events.append({"name": "thread_name", "ph": "M", **place, "args": label})
            start = (now - seconds - self._began) * _US
            events.append(
                {"name": name, "ph": "X", **place, "ts": round(start, 1), "dur": round(seconds * _US, 1), "args": facts}
            )
            try:
                self._file.writelines(msgspec.json.encode(event) + b",\n" for event in events)
            except OSError as error:
                self._left = 0
                logger.warning("the trace ends here: %s", error.strerror)
            if not self._left:
                logger.info("the trace is full and ends here; the stream goes on")

    def close(self) -> None:
        """End the array."""
        with self._lock:
            self._left = 0
            if not self._file.closed:
                self._file.write(b"{}]\n")
                self._file.close()
