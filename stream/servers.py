"""The HTTP servers of a worker: health and metrics for the platform, and the control API for its own user."""

import logging
import secrets
from contextlib import ExitStack
from functools import partial
from typing import Final

from msgspec import Struct

from connectors.qdrant.open import EmbeddedIndex
from core.errors import TransientError
from core.protocols import Embedder
from core.provenance import expired_warning
from core.settings import SearchSettings
from core.telemetry_settings import HealthSettings
from delivery.credits import Credits
from runtime.connections import Limits
from runtime.control import (
    MAX_BODY,
    SearchRequest,
    SimilarRequest,
    ThreadsAnswer,
    ThreadsRequest,
    WorkerStatus,
)
from runtime.health import health_app
from runtime.http import HttpServer, open_http_server
from runtime.searcher import IndexSearcher
from search.result import Answer
from stream.control import control_app
from stream.integrity import Integrity
from stream.progress import Progress
from stream.telemetry import ConsumerTelemetry, StreamTelemetry

logger: Final = logging.getLogger("ticketstream.stream")

#: Limits of the health server, to which anybody may connect: probes have their own thread, and requests no body.
_HEALTH: Final = Limits(connections=4_096, threads=2, waiting=16, urgent=("/health", "/ready"), body_bytes=1_024)
#: Limits of the control server: a queue of a second or two, beyond which requests get 503 at once.
_CONTROL: Final = Limits(connections=1_024, threads=4, waiting=64, body_bytes=MAX_BODY)


class WorkerState(Struct, frozen=True, eq=False):
    """The objects whose state the servers show."""

    telemetry: StreamTelemetry
    progress: Progress
    credits: Credits
    observer: ConsumerTelemetry
    integrity: Integrity


def serve_health(settings: HealthSettings, state: WorkerState, stack: ExitStack, *, port: int) -> HttpServer:
    """Start /health, /ready and /metrics. `port` is the default of the setting.

    Raises:
        ConfigError: the port is taken or not allowed.
    """
    state.telemetry.track("tickets_inflight", lambda: state.credits.tickets)
    state.telemetry.track("tickets_inflight_bytes", lambda: state.credits.bytes)

    def ready() -> str | None:
        if state.integrity.mismatch is not None:
            return state.integrity.mismatch.reason
        if not state.observer.joined:
            return "waiting for the first partition assignment of the consumer group"
        return state.integrity.fault or state.progress.outage or state.integrity.outage or state.progress.stall()

    def warn() -> str | None:
        return state.integrity.warning or expired_warning(state.observer.lost)

    app = health_app(registry=state.telemetry.registry, alive=state.progress.stall, ready=ready, warn=warn)
    chosen = port if settings.port is None else settings.port
    server = open_http_server(
        app,
        stack,
        host=settings.host,
        port=chosen,
        setting="TICKETS_HEALTH__PORT",
        limits=_HEALTH,
        refused=partial(state.telemetry.count, "tickets_http_refused_total", "health"),
    )
    logger.info("health and metrics on http://%s:%d", settings.host, server.port)
    return server


def serve_control(
    index: EmbeddedIndex, embedder: Embedder, settings: SearchSettings, state: WorkerState, stack: ExitStack
) -> HttpServer:
    """Start the control API on a free port of loopback, and write its address and token into the index's folder."""
    searcher = IndexSearcher(index=index, embedder=embedder, settings=settings)

    def require_whole() -> None:
        if state.integrity.fault is not None:
            raise TransientError(state.integrity.fault)

    def search(request: SearchRequest) -> Answer:
        require_whole()
        return searcher.search(request.text, request.query, plain=request.plain)

    def similar(request: SimilarRequest) -> Answer:
        require_whole()
        return searcher.similar(request.ticket_id, request.query, plain=request.plain)

    def threads(request: ThreadsRequest) -> ThreadsAnswer:
        require_whole()
        return ThreadsAnswer(searcher.threads(request.tenant_id, request.ticket_ids, public_only=request.public_only))

    token = secrets.token_urlsafe(32)
    app = control_app(
        token=token,
        search=search,
        similar=similar,
        threads=threads,
        status=partial(_status, index, embedder.stamp, state),
        back_up=index.back_up,
    )
    index.on_cut = partial(state.telemetry.count, "tickets_searches_cut_total")
    server = open_http_server(
        app,
        stack,
        host="127.0.0.1",
        port=0,
        setting="the control port",
        limits=_CONTROL,
        refused=partial(state.telemetry.count, "tickets_http_refused_total", "control"),
    )
    index.announce(f"http://127.0.0.1:{server.port}", token)
    return server


def _status(index: EmbeddedIndex, model: str, state: WorkerState) -> WorkerStatus:
    size = index.size()
    return WorkerStatus(
        model=model,
        points=size.points,
        tombstones=size.tombstones,
        inflight=state.credits.tickets,
        freshness_s=state.telemetry.freshness_s(),
        newest_ms=state.telemetry.newest_ms,
        outage=state.progress.outage,
        tickets=size.tickets,
        fault=state.integrity.fault,
        warning=state.integrity.warning,
        provenance=index.origin(),
    )
