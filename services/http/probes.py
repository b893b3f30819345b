"""GET /health, /ready and /metrics of a service, in the worker's form."""

from collections.abc import Callable

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from starlette.responses import Response

from runtime.telemetry import Telemetry
from services.http.problems import unavailable

PATHS = frozenset({"/health", "/ready", "/metrics"})
#: Returns what is wrong, or None when nothing is.
Probe = Callable[[], str | None]


class ServiceStatus(BaseModel):
    """The answer of a successful probe."""

    status: str = "ok"
    warning: str | None = None


def probes(*, telemetry: Telemetry, alive: Probe, ready: Probe, warn: Probe) -> APIRouter:
    """The routes. Probes run on the event loop, so they must answer at once."""
    router = APIRouter(tags=["operations"])

    def answer(fault: str | None, warning: str | None) -> ServiceStatus:
        if fault is not None:
            raise unavailable(fault)
        return ServiceStatus(warning=warning)

    @router.get("/health", response_model_exclude_none=True)
    async def health() -> ServiceStatus:
        """Whether the process works."""
        return answer(alive(), None)

    @router.get("/ready", response_model_exclude_none=True)
    async def readiness() -> ServiceStatus:
        """Whether the process can answer requests now."""
        return answer(ready(), warn())

    @router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics() -> Response:
        """Metrics in Prometheus's text format."""
        return Response(generate_latest(telemetry.registry), media_type=CONTENT_TYPE_LATEST)

    return router
