"""The cache and the counts of rate limits in this process, used if no server is configured."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from core.cache import PARTS, Allowance, Subject

#: Approximate overhead of an entry, in bytes.
_OVERHEAD: Final = 200
#: Maximum subjects; beyond it the least recently counted ones are forgotten.
_MAX_SUBJECTS: Final = 100_000


class _Entry(Struct):
    value: bytes
    expires: float
    size: int


class MemoryCache:
    """An LRU cache bounded by bytes. `clock` is in seconds."""

    def __init__(self, *, max_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._bytes = 0

    def get(self, key: str) -> bytes | None:
        """See `core.cache.Cache`."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            if entry.expires <= self._clock():
                self._drop(key)
                return None
            self._entries.move_to_end(key)
            return entry.value

    def put(self, key: str, value: bytes, *, ttl_s: float) -> None:
        """See `core.cache.Cache`."""
        size = len(key.encode()) + len(value) + _OVERHEAD
        with self._lock:
            self._drop(key)
            if size > self._max_bytes:
                return
            self._entries[key] = _Entry(value, self._clock() + ttl_s, size)
            self._bytes += size
            while self._bytes > self._max_bytes:
                self._drop(next(iter(self._entries)))

    def delete(self, key: str) -> None:
        """See `core.cache.Cache`."""
        with self._lock:
            self._drop(key)

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= entry.size


class MemoryLimiter:
    """Counts of one process, in parts of a window. `clock` is in seconds."""

    blocking: Final = False

    def __init__(
        self, *, window_s: float, clock: Callable[[], float] = time.time, max_subjects: int = _MAX_SUBJECTS
    ) -> None:
        self._part_s = window_s / PARTS
        self._clock = clock
        self._max_subjects = max_subjects
        self._lock = threading.Lock()
        #: Requests by part, by subject; the most recently counted subject is at the end.
        self._counts: OrderedDict[str, dict[int, int]] = OrderedDict()

    def take(self, subjects: Sequence[Subject]) -> Sequence[Allowance]:
        """See `core.cache.RateLimiter`."""
        now = self._clock()
        part = int(now // self._part_s)
        with self._lock:
            found = [self._recent(subject.key, part) for subject in subjects]
            allowed = all(sum(counts.values()) < subject.limit for subject, counts in zip(subjects, found, strict=True))
            for subject, counts in zip(subjects, found, strict=True):
                if allowed:
                    counts[part] = counts.get(part, 0) + 1
                    self._counts[subject.key] = counts
                    self._counts.move_to_end(subject.key)
            while len(self._counts) > self._max_subjects:
                self._counts.popitem(last=False)
            return [
                allowance(subject, sum(counts.values()), min(counts, default=part), now, self._part_s, counted=allowed)
                for subject, counts in zip(subjects, found, strict=True)
            ]

    def _recent(self, key: str, part: int) -> dict[int, int]:
        counts = self._counts.get(key, {})
        # those far ahead were counted before the clock was set back
        return {at: count for at, count in counts.items() if part - PARTS <= at <= part + PARTS}


def allowance(subject: Subject, used: int, oldest: int, now: float, part_s: float, *, counted: bool) -> Allowance:
    """The allowance of a subject.

    Args:
        subject: the subject.
        used: its requests in the window, with this one if it was counted.
        oldest: the oldest part with requests.
        now: in seconds; part 0 begins at 0.
        part_s: length of a part.
        counted: whether this request was counted.
    """
    left = max(0, subject.limit - used)
    return Allowance(counted or left > 0, left, max(0.0, (oldest + PARTS + 1) * part_s - now))
