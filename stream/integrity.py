"""The integrity of a worker's index: whether it matches the group's offsets, for /ready, the metrics and searches."""

import logging
import time
from collections.abc import Callable
from typing import Final

from core.provenance import Mismatch, MismatchError, Provenance, expired_warning, missing_reason
from stream.telemetry import StreamTelemetry

logger: Final = logging.getLogger("ticketstream.stream")

#: Seconds for which a worker that will stop shows the reason: a little longer than a scrape interval.
SHOWN_S: Final = 16.0
#: Seconds after which a mismatch counts, because a replica that has just returned may be behind for a moment.
CONFIRM_S: Final = 2.0


class Integrity:
    """The present knowledge of the index's integrity. Thread-safe."""

    def __init__(self, telemetry: StreamTelemetry) -> None:
        self._mismatch: Mismatch | None = None
        self._missing = 0
        self._expired = 0
        self.outage: str | None = None
        #: The reason why the log has fewer records than the index has read of it, or None.
        self.cut: str | None = None
        telemetry.track("tickets_index_mismatch", lambda: int(self._mismatch is not None))
        telemetry.track("tickets_index_missing_records", lambda: self._missing)
        telemetry.track("tickets_index_expired_records", lambda: self._expired)

    @property
    def mismatch(self) -> Mismatch | None:
        """The reason why the worker is about to stop, or None."""
        return self._mismatch

    @property
    def fault(self) -> str | None:
        """The reason why searches are refused, or None."""
        if self._mismatch is not None:
            return self._mismatch.reason
        return missing_reason(self._missing)

    @property
    def warning(self) -> str | None:
        """A warning for readers of the answers, or None."""
        return self.cut or expired_warning(self._expired)

    def broke(self, mismatch: Mismatch) -> None:
        """Note that the index doesn't match the offsets."""
        self._mismatch = mismatch
        self._missing = max(self._missing, mismatch.missing)

    def observed(self, found: Provenance) -> None:
        """Take over the state in the index's provenance."""
        before, self._missing = self._missing, found.missing
        self._expired = found.expired
        if before and not self._missing:
            logger.info("the index holds every acknowledged record again; searches are answered")


def stay_up(integrity: Integrity, error: MismatchError, *, wait: Callable[[float], None] = time.sleep) -> None:
    """Log why the worker will stop, and keep /ready and the metrics up until they have probably been read."""
    if integrity.mismatch is not None:
        logger.error("%s; stopping in %.0f s", error, SHOWN_S)
        wait(SHOWN_S)
