"""Builds an HTTP app: routes inside the middleware that every service shares."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from core.errors import NoTicketError, TransientError, UnavailableError
from core.service_settings import LimitSettings
from runtime.telemetry import Telemetry
from services.http.admission import DEFAULT_ADMISSION, Admission, AdmissionBounds
from services.http.authentication import Authentication
from services.http.bodies import DEFAULT_BODY, Bodies, BodyBounds
from services.http.callers import Authenticator
from services.http.context import context_of
from services.http.heads import HeadAsGet
from services.http.instrumentation import METHODS, Instrumentation
from services.http.json_bodies import field_name
from services.http.limits import RateLimits, Throttle, by_address, by_caller, throttle_of_process
from services.http.probes import PATHS, Probe, probes
from services.http.problems import KINDS, MEDIA_TYPE, FieldError, Problem, ProblemKind, of_status, unavailable
from services.http.session_routes import session_routes
from services.http.sessions import SessionCheck, Sessions, sessions_of_process

#: Paths that need an access token, by their beginning.
PROTECTED: Final = ("/api/", "/mcp")
#: Problems that any protected operation may answer with.
_COMMON: Final[tuple[ProblemKind, ...]] = (
    "bad-request",
    "unauthenticated",
    "forbidden",
    "request-timeout",
    "too-large",
    "unsupported-media-type",
    "invalid",
    "too-many-requests",
    "internal",
    "unavailable",
)
_MAX_ERRORS: Final = 20
#: Replacements for pydantic's messages that quote the input, by type of fault.
_QUOTING: Final = {"union_tag_invalid": "The tag is not one of those expected"}


class FieldProblem(BaseModel):
    """A fault of one field."""

    field: str
    message: str


class ProblemBody(BaseModel):
    """A problem document (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[FieldProblem] = []


#: The `responses` of a route, for the OpenAPI document.
Responses = dict[int | str, dict[str, Any]]


class _App(FastAPI):
    """Adds the schema of problem documents to the OpenAPI document."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            schemas = super().openapi().setdefault("components", {}).setdefault("schemas", {})
            schemas |= models_json_schema(
                [(ProblemBody, "serialization")], ref_template="#/components/schemas/{model}"
            )[1]["$defs"]
        assert self.openapi_schema is not None  # noqa: S101 - set by FastAPI
        return self.openapi_schema


def create_app(
    *,
    name: str,
    title: str,
    version: str,
    routers: Sequence[APIRouter],
    authenticator: Authenticator,
    telemetry: Telemetry,
    alive: Probe,
    ready: Probe,
    warn: Probe = lambda: None,
    body: BodyBounds = DEFAULT_BODY,
    admission: AdmissionBounds = DEFAULT_ADMISSION,
    throttle: Throttle | None = None,
    sessions: Sessions | None = None,
    free: Collection[str] = PATHS,
) -> FastAPI:
    """An app whose every error is a problem document.

    Args:
        name: labels metrics: `rag`, `tickets`.
        title: of the OpenAPI document, which /openapi.json serves.
        version: of the OpenAPI document.
        routers: the routes. Those under /api/ and /mcp need an access token.
        authenticator: verifies tokens.
        telemetry: has the metrics, which /metrics serves.
        alive: the fault of the process for /health, or None.
        ready: the reason why it can't answer requests, for /ready, or None.
        warn: a warning that /ready adds, or None.
        body: bounds of requests' bodies.
        admission: bounds of concurrency.
        throttle: rate limits; by default those of the default settings, counted in this process.
        sessions: ends of sign-ins; by default those of this process.
        free: paths that are answered however busy the app is.
    """
    throttle = throttle or throttle_of_process(LimitSettings())
    sessions = sessions or sessions_of_process(telemetry)
    limits = partial(RateLimits, throttle=throttle, protected=PROTECTED, telemetry=telemetry)
    app = _App(
        title=title,
        version=version,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={HTTPException: _respond, RequestValidationError: _respond},
        middleware=[
            Middleware(Instrumentation, telemetry=telemetry, describe=describe),
            Middleware(limits, subjects=by_address),
            Middleware(Authentication, authenticator=authenticator, protected=PROTECTED),
            Middleware(limits, subjects=by_caller),
            Middleware(SessionCheck, sessions=sessions, telemetry=telemetry),
            Middleware(Bodies, bounds=body),
            Middleware(Admission, bounds=admission, free=free, telemetry=telemetry, server=name),
            Middleware(HeadAsGet),
        ],
    )
    app.include_router(probes(telemetry=telemetry, alive=alive, ready=ready, warn=warn), responses=problems("internal"))
    for router in (*routers, session_routes(sessions)):
        app.include_router(router, responses=problems(*_COMMON))
    return app


def problems(*kinds: ProblemKind) -> Responses:
    """The `responses` of a route that answers with these kinds of problems, for the OpenAPI document."""
    content = {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{ProblemBody.__name__}"}}}
    return {KINDS[kind][0]: {"description": KINDS[kind][1], "content": content} for kind in kinds}


def describe(error: Exception) -> Problem | None:
    """The problem for an exception, or None for an internal error."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return Problem("invalid", "The request has fields that are not valid.", errors=_field_errors(error.errors()))
    if isinstance(error, HTTPException):
        return of_status(error.status_code, headers=error.headers)
    if isinstance(error, NoTicketError):
        return Problem("not-found", "The tenant has no ticket of this id.")
    if isinstance(error, (TransientError, UnavailableError)):
        wait = error.retry_after_s if isinstance(error, TransientError) else None
        return unavailable("A dependency of the service is unavailable.", retry_after_s=wait or 1.0)
    return None


async def _respond(request: Request, error: Exception) -> Response:
    problem = describe(error)
    assert problem is not None  # noqa: S101 - it is registered for two types that `describe` knows
    if problem.kind == "method-not-allowed":
        problem.headers = {"Allow": ", ".join(_methods(request.app.routes, request.scope))}
    return problem.response(context_of(request.scope).request_id)


def _field_errors(faults: Iterable[Mapping[str, Any]]) -> list[FieldError]:
    """The faults by path, without the input. Pydantic's paths begin with the part of the request."""
    found = []
    for fault in faults:
        part, *path = fault["loc"] or ("body",)
        message = _QUOTING.get(fault["type"]) or str(fault["msg"]).removeprefix("Value error, ")
        found.append(FieldError(field_name(path) if path else str(part), message))
    return found[:_MAX_ERRORS]


def _methods(routes: Sequence[BaseRoute], scope: Scope) -> list[str]:
    """The methods that the path has."""
    found = {
        method
        for method in METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    }
    return sorted(found | {"HEAD"} if "GET" in found else found)
