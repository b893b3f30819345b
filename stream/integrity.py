"""Whether a worker's index and its group's offsets belong together: what /ready, the metrics and searches are told."""

import logging
import time
from collections.abc import Callable
from typing import Final

from core.provenance import Mismatch, MismatchError, Provenance, expired_warning, missing_reason
from stream.telemetry import StreamTelemetry

logger: Final = logging.getLogger("ticketstream.stream")

#: A worker that will stop stays up this long to say why: a little longer than the time between two scrapes.
SHOWN_S: Final = 16.0
#: A replica that has just returned may be behind for a moment, so a mismatch counts once it has lasted this long.
CONFIRM_S: Final = 2.0


class Integrity:
    """What is known of the index now. Thread-safe."""

    def __init__(self, telemetry: StreamTelemetry) -> None:
        self._mismatch: Mismatch | None = None
        self._missing = 0
        self._expired = 0
        self.outage: str | None = None
        telemetry.track("tickets_index_mismatch", lambda: int(self._mismatch is not None))
        telemetry.track("tickets_index_missing_records", lambda: self._missing)
        telemetry.track("tickets_index_expired_records", lambda: self._expired)

    @property
    def mismatch(self) -> Mismatch | None:
        """Why the worker is about to stop."""
        return self._mismatch

    @property
    def fault(self) -> str | None:
        """Why no search may be answered, or None."""
        if self._mismatch is not None:
            return self._mismatch.reason
        return missing_reason(self._missing)

    @property
    def warning(self) -> str | None:
        """What readers of the answers should know, or None."""
        return expired_warning(self._expired)

    def broke(self, mismatch: Mismatch) -> None:
        """Note that index and offsets don't belong together."""
        self._mismatch = mismatch
        self._missing = max(self._missing, mismatch.missing)

    def observed(self, found: Provenance) -> None:
        """Take over what the index says of itself."""
        before, self._missing = self._missing, found.missing
        self._expired = found.expired
        if before and not self._missing:
            logger.info("the index holds again what was acknowledged; searches are answered")


def stay_up(integrity: Integrity, error: MismatchError, *, wait: Callable[[float], None] = time.sleep) -> None:
    """Log why the worker will stop, and keep /ready and the metrics up until they were probably read."""
    if integrity.mismatch is not None:
        logger.error("%s; stopping in %.0f s", error, SHOWN_S)
        wait(SHOWN_S)
