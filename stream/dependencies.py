"""Opens the dependencies that batches call, and reports their state in metrics, readiness and logs."""

import logging
from collections.abc import Iterable, Sequence
from random import Random
from typing import Final

from core.errors import TransientError
from core.settings import WriterSettings
from delivery.backoff import Backoff
from delivery.circuit import CircuitState
from delivery.concurrency import AdaptiveLimit
from delivery.dependency import Dependency, DependencyObserver
from delivery.gate import CallGate
from stream.progress import Progress
from stream.sinks import DEAD_LETTERS, SinkSpec
from stream.telemetry import StreamTelemetry

logger: Final = logging.getLogger("ticketstream.writer")

_STATES: Final[dict[CircuitState, int]] = {"closed": 0, "half-open": 1, "open": 2}


class _Observer(DependencyObserver):
    def __init__(self, telemetry: StreamTelemetry, progress: Progress) -> None:
        self._telemetry = telemetry
        self._progress = progress

    def succeeded(self, dependency: str) -> None:
        self._progress.called(dependency, None)

    def failed(self, dependency: str, error: TransientError, state: CircuitState, delay_s: float) -> None:
        circuit = "" if state == "closed" else "; one batch probes it, the others wait"
        self._progress.called(dependency, f"{error}{circuit}")
        self._telemetry.count("tickets_retries_total", dependency)
        logger.warning("%s: %s%s; next attempt in %.1f s", dependency, error, circuit, delay_s)

    def waiting(self, dependency: str) -> None:
        del dependency
        self._progress.waiting()


def open_dependencies(
    settings: WriterSettings,
    *,
    sinks: Sequence[SinkSpec],
    lookups: Iterable[str] = (),
    telemetry: StreamTelemetry,
    progress: Progress,
    rng: Random,
) -> dict[str, Dependency]:
    """The dependencies by name: each of `sinks`, the dead letters, and each of `lookups`."""
    observer = _Observer(telemetry, progress)

    def dependency(name: str, *, adaptive: bool) -> Dependency:
        limit = _limit(settings, telemetry, name) if adaptive else None
        gate = CallGate(backoff=Backoff(cap_s=settings.backoff_max_s, rng=rng), limit=limit)
        telemetry.track("tickets_circuit_state", lambda: _STATES[gate.state], name)
        return Dependency(name, gate=gate, observer=observer)

    return {
        **{spec.name: dependency(spec.name, adaptive=spec.adaptive) for spec in sinks},
        **{name: dependency(name, adaptive=False) for name in (*lookups, DEAD_LETTERS)},
    }


def _limit(settings: WriterSettings, telemetry: StreamTelemetry, name: str) -> AdaptiveLimit:
    limit = AdaptiveLimit(max_limit=settings.max_concurrent_batches)
    telemetry.track("tickets_write_concurrency_limit", lambda: limit.limit, name)
    return limit
