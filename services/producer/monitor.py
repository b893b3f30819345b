"""The state behind the producer's probes and metrics."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

from core.errors import TicketstreamError
from core.producing import FoundFile, Lease
from core.records import Rejected
from runtime.telemetry import Telemetry

logger: Final = logging.getLogger("ticketstream.producer")

Dependency = Literal["broker", "store", "sources"]

_MS: Final = 1_000
#: Suffix of packed files, whose checkpoints count unpacked bytes, unlike their sizes.
_PACKED: Final = ".gz"


class Monitor:
    """Faults, warnings and lag. Written by the producer's thread, read by any."""

    def __init__(
        self, telemetry: Telemetry, *, max_stall_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._telemetry = telemetry
        self._max_stall_s = max_stall_s
        self._clock = clock
        self._lock = threading.Lock()
        self._faults: dict[Dependency, str] = {}
        self._set_aside: dict[str, str] = {}
        self._unsent_since: dict[str, int] = {}
        self._unended: list[str] = []
        self._listed = False
        self._turned_at = clock()

    def turned(self) -> None:
        """Note that the producer's thread has made a turn."""
        self._turned_at = self._clock()

    def note(self, dependency: Dependency, error: TicketstreamError | None) -> None:
        """Note that a call of a dependency failed or succeeded."""
        with self._lock:
            before = self._faults.pop(dependency, None)
            if error is not None:
                self._faults[dependency] = str(error)
        if error is not None and before is None:
            logger.warning("the %s can't be used, and the producer waits: %s", dependency, error)
        elif error is None and before is not None:
            logger.info("the %s can be used again", dependency)

    def set_aside(self, name: str, error: TicketstreamError | None) -> None:
        """Note that a file can't be read as a whole, or can be again."""
        with self._lock:
            before = self._set_aside.pop(name, None)
            if error is not None:
                self._set_aside[name] = str(error)
        if error is not None and before != str(error):
            logger.error("a file is set aside, and tried again every minute: %s", error)
        self._telemetry.gauge("tickets_producer_faulty_files", len(self._set_aside))

    def sent(self, records: int, rejected: Sequence[Rejected], content_bytes: int) -> None:
        """Count lines that the broker has acknowledged."""
        if records:
            self._telemetry.count("tickets_producer_records_total", by=records)
        if content_bytes:
            self._telemetry.count("tickets_producer_bytes_total", by=content_bytes)
        for item in rejected:
            self._telemetry.count("tickets_rejected_total", item.stage, item.code)

    def tasks(self, number: int) -> None:
        """Set the number of living tasks."""
        self._telemetry.gauge("tickets_producer_tasks", number)

    def open_files(self, number: int) -> None:
        """Set the number of open files."""
        self._telemetry.gauge("tickets_producer_open_files", number)

    def listed(self, found: Mapping[str, FoundFile], leases: Mapping[str, Lease], *, now_ms: int) -> None:
        """Measure the lag, after the sources were listed."""
        since: dict[str, int] = {}
        unsent, unended = 0, []
        for file_id, file in found.items():
            size = unsent_bytes(file, leases.get(file_id))
            if size:
                unsent += size
                first_ms = now_ms if self._listed else min(now_ms, file.modified_ms)
                since[file_id] = self._unsent_since.get(file_id, first_ms)
            if is_done(file, leases.get(file_id)) and size:
                unended.append(file.name)
        with self._lock:
            self._unsent_since, self._unended, self._listed = since, unended, True
            for name in self._set_aside.keys() - {file.name for file in found.values()}:
                del self._set_aside[name]
        age_s = (now_ms - min(since.values(), default=now_ms)) / _MS
        self._telemetry.gauge("tickets_producer_lag_bytes", unsent)
        self._telemetry.gauge("tickets_producer_lag_seconds", age_s)

    def not_alive(self) -> str | None:
        """The fault of the producer's thread, or None."""
        stalled_s = self._clock() - self._turned_at
        return f"no progress for {stalled_s:.0f} s" if stalled_s > self._max_stall_s else None

    def not_ready(self) -> str | None:
        """The reason why nothing can be sent, or None."""
        with self._lock:
            fault = next((f"{name}: {why}" for name, why in self._faults.items()), None)
            return fault or (None if self._listed else "the sources have not been listed yet")

    def warning(self) -> str | None:
        """A summary of the faulty files, or None."""
        told = []
        with self._lock:
            if self._set_aside:
                told.append(f"{len(self._set_aside)} files can't be read: {next(iter(self._set_aside.values()))}")
            if self._unended:
                told.append(f"{len(self._unended)} files end in an incomplete line: {self._unended[0]}")
        return "; ".join(told) or None


def is_done(file: FoundFile, lease: Lease | None) -> bool:
    """Whether all complete lines of a file in this state were sent."""
    return lease is not None and lease.checkpoint.stamp == file.stamp


def unsent_bytes(file: FoundFile, lease: Lease | None) -> int:
    """Number of bytes that are not sent yet; for a packed file, all of its bytes."""
    if lease is None:
        return file.size
    checkpoint = lease.checkpoint
    if is_done(file, lease):
        return 0 if checkpoint.last_line else checkpoint.left
    return file.size if file.name.endswith(_PACKED) else max(file.size - checkpoint.position, 1)
