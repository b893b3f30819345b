"""/health, /ready and /metrics: what a platform asks of a task."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry, make_wsgi_app

from runtime.http import App, StartResponse, respond

#: Says what is wrong, or None when nothing is.
Probe = Callable[[], str | None]


def health_app(*, registry: CollectorRegistry, alive: Probe, ready: Probe) -> App:
    """GET /health and /ready answer 200, or 503 with the reason; /metrics is Prometheus's text format."""
    metrics: Any = make_wsgi_app(registry)
    probes = {"/health": alive, "/ready": ready}

    def app(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            answer: Iterable[bytes] = metrics(environ, start)
            return answer
        probe = probes.get(path)
        if probe is None:
            return respond(start, "404 Not Found", b'{"error":"there is /health, /ready and /metrics"}')
        fault = probe()
        body = msgspec.json.encode({"status": "ok"} if fault is None else {"status": "failing", "reason": fault})
        return respond(start, "200 OK" if fault is None else "503 Service Unavailable", body)

    return app
