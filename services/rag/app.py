"""The RAG service's app: search, similar tickets, answers and feedback."""

from fastapi import FastAPI

from core.contract import CONTRACT_VERSION
from core.service_settings import RagSettings
from services.http.admission import AdmissionBounds
from services.http.app import create_app
from services.http.callers import Authenticator
from services.http.limits import Throttle
from services.http.probes import Probe
from services.http.sessions import Sessions
from services.rag.routes import Service, rag_routes

NAME = "rag"


def rag_app(
    service: Service,
    settings: RagSettings,
    *,
    authenticator: Authenticator,
    ready: Probe,
    warn: Probe,
    throttle: Throttle | None = None,
    sessions: Sessions | None = None,
) -> FastAPI:
    """The app.

    Args:
        service: what the routes use.
        settings: bounds of concurrency.
        authenticator: identifies callers by their tokens.
        ready: the reason why no question can be answered now, or None.
        warn: a problem that doesn't prevent answers, or None.
        throttle: rate limits; see `create_app`.
        sessions: ends of sign-ins; see `create_app`.
    """
    return create_app(
        name=NAME,
        title="ticketstream: search and answers",
        version=str(CONTRACT_VERSION),
        routers=[rag_routes(service)],
        authenticator=authenticator,
        telemetry=service.answering.telemetry,
        alive=lambda: None,
        ready=ready,
        warn=warn,
        admission=AdmissionBounds(concurrent=settings.max_concurrent, waiting=settings.max_waiting),
        throttle=throttle,
        sessions=sessions,
    )
