"""Writes a trace file, with each thread's spans, for a trace viewer (ui.perfetto.dev, about:tracing).

The format is Chrome's trace events, a JSON array whose closing bracket may be missing, so that the file of a killed
process can be read (https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU).
"""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final, Self

import msgspec

from core.errors import ConfigError
from core.private import open_private
from core.telemetry_settings import LogSettings

logger: Final = logging.getLogger("ticketstream.trace")

#: Maximum events: at 200 bytes each, a larger file is too large for a viewer.
_MAX_EVENTS: Final = 500_000
_US: Final = 1e6


class TraceFile:
    """Writes spans to a file. Thread-safe. A write error ends the trace, and not the stream."""

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
        """A trace in a new file, which replaces an older one.

        Raises:
            ConfigError: the file can't be written.
        """
        try:
            return cls(open_private(path), max_events=max_events)
        except OSError as error:
            raise ConfigError(f"TICKETS_LOG__TRACE_FILE: can't write {path} ({error.strerror})") from None

    def span(self, name: str, seconds: float, **facts: int) -> None:
        """Add a span of `seconds` on this thread that ends now."""
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
                logger.info("the trace file is full; the stream continues without it")

    def close(self) -> None:
        """End the array, and close the file. Idempotent."""
        with self._lock:
            if self._file.closed:
                return
            self._left = 0
            self._write([b"{}]\n"])
            with contextlib.suppress(OSError):  # a write error was already logged, and the trace ends there
                self._file.close()

    def _write(self, lines: Iterable[bytes]) -> None:
        """Write `lines`. A write error ends the trace."""
        if self._failed:
            return
        try:
            self._file.writelines(lines)
        except OSError as error:
            self._failed = True
            self._left = -1
            logger.warning("writing the trace file failed, so it ends here: %s", error.strerror)


def open_trace_file(settings: LogSettings, stack: ExitStack) -> TraceFile | None:
    """Open the trace file that the settings name; None if they name none.

    Raises:
        ConfigError: the file can't be written.
    """
    if settings.trace_file is None:
        return None
    trace = TraceFile.open(settings.trace_file)
    stack.callback(trace.close)
    return trace
