"""Stops the worker when most recent records are rejected.

The fault is then not in the records, and moving the whole topic to the dead letters would not help.
"""

import threading
from collections import Counter, deque
from collections.abc import Iterable
from typing import Final

from core.errors import FatalError

#: The share of rejected records is computed over this many.
WINDOW: Final = 1_000


class _Batch:
    """Number of records of a batch, and how many were rejected for each code."""

    __slots__ = ("codes", "records")

    def __init__(self, records: int, codes: Counter[str]) -> None:
        self.records = records
        self.codes = codes


class DeadLetterBreaker:
    """Counts the last `window` records, in batches. Thread-safe."""

    def __init__(self, *, share: float, window: int = WINDOW) -> None:
        """Trip when at least `share` of at least `window` records are bad; a share of 0 never trips."""
        self._share = share
        self._window = window
        self._lock = threading.Lock()
        self._batches: deque[_Batch] = deque()
        self._records = 0
        self._bad = 0

    def add_batch(self, records: int, codes: Iterable[str]) -> _Batch:
        """Count a batch that is about to be written: its records, and the codes of those that are rejected.

        Returns:
            A handle to pass to `add_refusals`.

        Raises:
            FatalError: too many recent records were rejected. Nothing of this batch may be dead-lettered.
        """
        batch = _Batch(records, Counter(codes))
        with self._lock:
            self._batches.append(batch)
            self._records += records
            self._bad += batch.codes.total()
            while self._records - self._batches[0].records >= self._window:
                oldest = self._batches.popleft()
                self._records -= oldest.records
                self._bad -= oldest.codes.total()
            self._require_some_good()
        return batch

    def add_refusals(self, batch: _Batch, codes: Iterable[str]) -> None:
        """Count records of `batch` that a sink refused.

        Raises:
            FatalError: as for `add_batch`.
        """
        found = Counter(codes)
        with self._lock:
            if batch in self._batches:
                batch.codes += found
                self._bad += found.total()
                self._require_some_good()

    def _require_some_good(self) -> None:
        if not self._share or self._records < self._window or self._bad < self._share * self._records:
            return
        codes: Counter[str] = Counter()
        for batch in self._batches:
            codes += batch.codes
        code, count = codes.most_common(1)[0]
        raise FatalError(
            f"{self._bad:,} of the last {self._records:,} records can't be used, {count:,} of them for {code}; stopped "
            "instead of moving the topic to the dead letters. `ticketstream dlq list` shows earlier ones; "
            "TICKETS_WRITER__MAX_REJECTED_SHARE=0 switches this check off"
        )
