"""The two ports of a worker: health and metrics for the platform, control for other processes of its user."""

import logging
import secrets
from typing import Final, Protocol, runtime_checkable

from msgspec import Struct

from core.ports import Embedder, Index
from core.records import SearchHit
from core.settings import HealthSettings
from delivery.credits import Credits
from services.control import SearchRequest, WorkerStatus, control_app
from services.health import health_app
from services.server import HttpServer
from worker.progress import Progress
from worker.search import Searcher
from worker.telemetry import ConsumerTelemetry, Telemetry

logger: Final = logging.getLogger("ticketstream.worker")


class State(Struct, frozen=True, eq=False):
    """What the ports show."""

    telemetry: Telemetry
    progress: Progress
    credits: Credits
    observer: ConsumerTelemetry


@runtime_checkable
class Announcer(Protocol):
    """An index that only this process can open, and that tells others where to ask."""

    def announce(self, address: str, token: str) -> None:
        """Write down, for this user only, that the owner answers at `address` to holders of `token`."""
        ...


def serve_health(settings: HealthSettings, state: State, *, port: int) -> HttpServer:
    """Start /health, /ready and /metrics, on `port` where the settings name none.

    Raises:
        ConfigError: the port is taken.
    """
    state.telemetry.track("tickets_inflight", lambda: state.credits.tickets)
    state.telemetry.track("tickets_inflight_bytes", lambda: state.credits.bytes)

    def ready() -> str | None:
        if not state.observer.joined:
            return "the consumer group has not let us in yet"
        return state.progress.outage or state.progress.stall()

    app = health_app(registry=state.telemetry.registry, alive=state.progress.stall, ready=ready)
    server = HttpServer(
        app, host=settings.host, port=port if settings.port is None else settings.port, setting="TICKETS_HEALTH__PORT"
    )
    logger.info("health and metrics on http://%s:%d", settings.host, server.port)
    return server


def serve_control(announcer: Announcer, *, index: Index, embedder: Embedder, state: State) -> HttpServer:
    """Start the control port on loopback and announce it."""
    searcher = Searcher(index=index, embedder=embedder)

    def search(request: SearchRequest) -> list[SearchHit]:
        return searcher.search(request.text, request.query)

    def status() -> WorkerStatus:
        size = index.size()
        return WorkerStatus(
            model=embedder.stamp,
            points=size.points,
            tombstones=size.tombstones,
            inflight=state.credits.tickets,
            freshness_s=state.telemetry.freshness_s(),
            outage=state.progress.outage,
        )

    token = secrets.token_urlsafe(32)
    app = control_app(token=token, search=search, status=status)
    server = HttpServer(app, host="127.0.0.1", port=0, setting="the control port")
    announcer.announce(f"http://127.0.0.1:{server.port}", token)
    return server
