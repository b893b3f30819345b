"""The places a writer calls, and what the ports, the metrics and the log show of them."""

import logging
from collections.abc import Sequence
from random import Random
from typing import Final

from core.errors import TransientError
from core.settings import WriterSettings
from delivery.backoff import Backoff
from delivery.circuit import CircuitState
from delivery.concurrency import AdaptiveLimit
from delivery.gate import Gate
from delivery.target import Target, TargetObserver
from worker.progress import Progress
from worker.telemetry import Telemetry

logger: Final = logging.getLogger("ticketstream.writer")

_STATES: Final[dict[CircuitState, int]] = {"closed": 0, "half-open": 1, "open": 2}


class _Watch(TargetObserver):
    def __init__(self, telemetry: Telemetry, progress: Progress) -> None:
        self._telemetry = telemetry
        self._progress = progress

    def succeeded(self, target: str) -> None:
        self._progress.tried(target, None)

    def failed(self, target: str, error: TransientError, state: CircuitState, delay_s: float) -> None:
        circuit = "" if state == "closed" else "; one batch tries it, the others wait"
        self._progress.tried(target, f"{error}{circuit}")
        self._telemetry.count("tickets_retries_total", target)
        logger.warning("%s: %s%s; next try in %.1f s", target, error, circuit, delay_s)

    def waiting(self, target: str) -> None:
        del target
        self._progress.waits()


def open_targets(
    settings: WriterSettings, names: Sequence[str], *, telemetry: Telemetry, progress: Progress, rng: Random
) -> dict[str, Target]:
    """A target for each of `names`; `index` at as many calls at once as it bears, the others as many as there are."""
    watch = _Watch(telemetry, progress)

    def target(name: str) -> Target:
        limit = _limit(settings, telemetry) if name == "index" else None
        backoff = Backoff(base_s=settings.backoff_base_s, cap_s=settings.backoff_max_s, rng=rng)
        gate = Gate(backoff=backoff, limit=limit)
        telemetry.track("tickets_circuit_state", lambda: _STATES[gate.state], name)
        return Target(name, gate=gate, observer=watch)

    return {name: target(name) for name in names}


def _limit(settings: WriterSettings, telemetry: Telemetry) -> AdaptiveLimit:
    limit = AdaptiveLimit(most=settings.concurrency)
    telemetry.track("tickets_write_limit", lambda: limit.limit)
    return limit
