"""The outermost middleware: request ids, trace context, metrics, the access log, security headers, and every error."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.telemetry import Telemetry
from runtime.tracing import silent_provider
from services.http.context import RequestContext, begin
from services.http.problems import Problem, unavailable

logger: Final = logging.getLogger("ticketstream.http")

#: HTTP methods that have their own label.
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
#: nginx's status of a request whose client left before the response had begun.
_GONE: Final = 499
_FAILED: Final = 500
#: Default headers of every response. A page sets its own content security policy.
_SECURITY: Final = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
#: Paths of probes, which are not logged.
_QUIET: Final = frozenset({"/health", "/ready", "/metrics"})


class Instrumentation:
    """ASGI middleware for request ids, traces, metrics, the access log, headers and problem documents."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        telemetry: Telemetry,
        describe: Callable[[Exception], Problem | None],
    ) -> None:
        """`describe` makes a problem of an exception, or returns None for an internal error."""
        self._app = app
        self._telemetry = telemetry
        self._describe = describe
        self._tracer: Tracer = (telemetry.tracing or silent_provider()).get_tracer("ticketstream")
        self._propagator = TraceContextTextMapPropagator()
        self._inflight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request. Raises nothing."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        context, response = begin(scope), _Response(send)
        began = time.perf_counter()
        self._count_inflight(1)
        parent = self._propagator.extract(
            {name.decode("latin-1"): text.decode("latin-1") for name, text in _trace(scope)}
        )
        with self._tracer.start_as_current_span(
            _method(scope), parent, SpanKind.SERVER, record_exception=False
        ) as span:
            context.trace_id = f"{span.get_span_context().trace_id:032x}"
            try:
                await self._answer(scope, receive, response, context)
            finally:
                context.stop.set()
                self._count_inflight(-1)
                status = response.status or _GONE
                span.set_attribute("http.request.method", _method(scope))
                span.set_attribute("http.route", _route(scope))
                span.set_attribute("http.response.status_code", status)
                if status >= _FAILED:
                    span.set_status(Status(StatusCode.ERROR))
                self._note(scope, context, status, time.perf_counter() - began)

    async def _answer(self, scope: Scope, receive: Receive, response: "_Response", context: RequestContext) -> None:
        try:
            response.request_id = context.request_id
            await self._app(scope, receive, response.send)
        except asyncio.CancelledError:  # the server cancels at the end of its drain; disconnects aren't passed on
            if not response.status:
                ending = unavailable("The service is shutting down; try again.")
                await ending.response(context.request_id)(scope, receive, response.send)
        except Exception as error:  # noqa: BLE001 - every exception becomes a problem
            problem = self._describe(error)
            if problem is None:  # the exception's message may quote a ticket
                names = {"request_id": context.request_id, "trace_id": context.trace_id, "route": _route(scope)}
                logger.error("a request failed: %s %s", _fault(error), context.request_id, extra=names)  # noqa: TRY400
                problem = Problem("internal", "The service failed; its log has the details under the request's id.")
            if not response.status:
                await problem.response(context.request_id)(scope, receive, response.send)
            # A response that has begun is left incomplete, and the server closes the connection.

    def _count_inflight(self, by: int) -> None:
        self._inflight += by
        self._telemetry.gauge("tickets_http_inflight", self._inflight)

    def _note(self, scope: Scope, context: RequestContext, status: int, seconds: float) -> None:
        method, route = _method(scope), _route(scope)
        self._telemetry.count("tickets_http_requests_total", method, route, str(status))
        self._telemetry.observe("tickets_http_seconds", seconds, method, route)
        if scope["path"] not in _QUIET:
            facts = {
                "request_id": context.request_id,
                "trace_id": context.trace_id,
                "method": method,
                "route": route,
                "status": status,
                "seconds": round(seconds, 6),
                "tenant_id": context.caller.tenant_id if context.caller else None,
            }
            logger.info("%s %s %d %s", method, route, status, context.request_id, extra=facts)


class _Response:
    """Passes a response on with the default headers, and keeps its status (0 until it has begun)."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        self.request_id = ""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = self.request_id
            for name, value in _SECURITY.items():
                headers.setdefault(name, value)
        await self._send(message)


def _method(scope: Scope) -> str:
    """The method's label; all unusual methods share one."""
    return scope["method"] if scope["method"] in METHODS else "other"


def _route(scope: Scope) -> str:
    """The route's template, so that labels and logs hold no ids."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else scope["path"] if scope["path"] in _QUIET else "unmatched"


def _trace(scope: Scope) -> list[tuple[bytes, bytes]]:
    return [(name, text) for name, text in scope["headers"] if name in (b"traceparent", b"tracestate")]


def _fault(error: BaseException) -> str:
    """The exception's type and the last line of our code in its traceback."""
    at = error.__traceback__
    place = ""
    while at is not None:
        module = at.tb_frame.f_globals.get("__name__", "?")
        place = f"{module}:{at.tb_lineno}"
        at = at.tb_next
    return f"{type(error).__name__} at {place}"
