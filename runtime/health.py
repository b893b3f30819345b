"""The health server's endpoints: /health (liveness), /ready (readiness) and /metrics."""

from collections.abc import Callable, Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import msgspec
from prometheus_client import CollectorRegistry, make_wsgi_app

from runtime.http import respond

#: Returns the fault, or None.
Probe = Callable[[], str | None]


def health_app(
    *, registry: CollectorRegistry, alive: Probe, ready: Probe, warn: Probe = lambda: None
) -> WSGIApplication:
    """GET /health and /ready answer 200, or 503 with the reason; /metrics is Prometheus's text format.

    `warn` adds a warning to a 200 of /ready.
    """
    metrics: WSGIApplication = make_wsgi_app(registry)
    probes = {"/health": alive, "/ready": ready}

    def app(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            return _export(metrics, environ, start)
        probe = probes.get(path)
        if probe is None:
            return respond(start, "404 Not Found", b'{"error":"not found; the paths are /health, /ready and /metrics"}')
        fault = probe()
        warning = warn() if path == "/ready" else None
        found = {"status": "ok"} | ({} if warning is None else {"warning": warning})
        body = msgspec.json.encode(found if fault is None else {"status": "failing", "reason": fault})
        return respond(start, "200 OK" if fault is None else "503 Service Unavailable", body)

    return app


def _export(metrics: WSGIApplication, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    """The metrics in the format of the Accept header; a header that the exporter fails on is ignored."""
    try:
        return metrics(environ, start)
    except (TypeError, ValueError):
        return metrics({**environ, "HTTP_ACCEPT": ""}, start)
