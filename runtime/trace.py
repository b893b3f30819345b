"""What each thread did when: a file that a browser's trace viewer opens (ui.perfetto.dev, about:tracing).

The format is Chrome's trace events, as a JSON array whose closing bracket may be missing: a killed process leaves a
file that can be read (https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU).
"""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Final, Self

import msgspec

from core.errors import ConfigError

logger: Final = logging.getLogger("ticketstream.trace")

#: Beyond it the file would be too large for a viewer: some 200 bytes each.
_MAX_EVENTS: Final = 500_000
_US: Final = 1e6


class Trace:
    """Writes spans to a file. Thread-safe; a disk that refuses ends the trace and not the stream."""

    def __init__(self, file: BinaryIO, *, max_events: int = _MAX_EVENTS) -> None:
        """Write to `file`, which the trace closes."""
        self._file = file
        self._left = max_events
        self._failed = False
        self._lock = threading.Lock()
        self._named: set[int] = set()
        self._began = time.perf_counter()
        self._write([b"[\n"])

    @classmethod
    def open(cls, path: Path, *, max_events: int = _MAX_EVENTS) -> Self:
        """A trace in a new file, in place of any older one.

        Raises:
            ConfigError: it can't be written.
        """
        try:
            return cls(path.open("wb"), max_events=max_events)
        except OSError as error:
            raise ConfigError(f"TICKETS_LOG__TRACE_FILE: can't write {path} ({error.strerror})") from None

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
            self._write([msgspec.json.encode(event) + b",\n" for event in events])
            if self._left == 0:
                logger.info("the trace file is full; the stream goes on without it")

    def close(self) -> None:
        """End the array, and close the file. Idempotent."""
        with self._lock:
            if self._file.closed:
                return
            self._left = 0
            self._write([b"{}]\n"])
            with contextlib.suppress(OSError):  # told already, or lost in a buffer that nobody will read
                self._file.close()

    def _write(self, lines: Iterable[bytes]) -> None:
        """Write `lines`; a disk that refuses them ends the trace and not the stream."""
        if self._failed:
            return
        try:
            self._file.writelines(lines)
        except OSError as error:
            self._failed = True
            self._left = -1
            logger.warning("the trace file ends here: %s", error.strerror)
