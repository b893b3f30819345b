"""The health endpoints and the HTTP server, over a socket."""

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from wsgiref.types import WSGIApplication

import pytest
from prometheus_client import CollectorRegistry, Counter

from core.errors import ConfigError
from runtime.health import health_app
from runtime.http import listen, open_http_server
from tests.rigs.waiting import PATIENCE_S


@contextmanager
def serving(app: WSGIApplication) -> Iterator[str]:
    """The address of a server of `app`."""
    with ExitStack() as stack:
        server = open_http_server(app, stack, host="127.0.0.1", port=0, setting="TEST")
        yield f"http://127.0.0.1:{server.port}"


def ask(url: str, *, token: str | None = None, body: object = None) -> tuple[int, str]:
    """Status and body of the answer; a body makes it a POST, of JSON unless it is bytes."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, data=data, headers=headers), timeout=PATIENCE_S
        ) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_probe_answers_200_or_503_with_its_reason() -> None:
    """/health and /ready each answer 200, or 503 with their own reason."""
    app = health_app(registry=CollectorRegistry(), alive=lambda: None, ready=lambda: "not joined yet")
    with serving(app) as url:
        assert ask(f"{url}/health") == (200, '{"status":"ok"}')
        assert ask(f"{url}/ready") == (503, '{"status":"failing","reason":"not joined yet"}')
        assert ask(f"{url}/other")[0] == 404


def test_readiness_may_have_a_warning() -> None:
    """A worker that is ready but has a warning answers /ready with 200 and the warning."""
    app = health_app(registry=CollectorRegistry(), alive=lambda: None, ready=lambda: None, warn=lambda: "20 expired")
    with serving(app) as url:
        assert ask(f"{url}/health") == (200, '{"status":"ok"}')
        assert ask(f"{url}/ready") == (200, '{"status":"ok","warning":"20 expired"}')


def test_metrics_are_prometheus_text() -> None:
    """/metrics exposes the counters of the registry."""
    registry = CollectorRegistry()
    Counter("tickets_test", "Help.", registry=registry).inc(3)
    with serving(health_app(registry=registry, alive=lambda: None, ready=lambda: None)) as url:
        assert "tickets_test_total 3.0" in ask(f"{url}/metrics")[1]


def test_a_malformed_accept_header_gets_the_default_format() -> None:
    """Anybody may send one, and each would log a traceback."""
    registry = CollectorRegistry()
    Counter("tickets_test", "Help.", registry=registry).inc(3)
    app = health_app(registry=registry, alive=lambda: None, ready=lambda: None)
    started: list[str] = []
    environ = {
        "PATH_INFO": "/metrics",
        "REQUEST_METHOD": "GET",
        "HTTP_ACCEPT": "application/openmetrics-text; version=abc",
    }
    body = b"".join(app(environ, lambda status, *_: started.append(status)))  # type: ignore[arg-type]
    assert b"tickets_test_total 3.0" in body
    assert started == ["200 OK"]


def test_a_taken_port_is_a_config_error() -> None:
    """The error names the setting and the address, and says to choose another port."""
    app = health_app(registry=CollectorRegistry(), alive=lambda: None, ready=lambda: None)
    with serving(app) as url, ExitStack() as stack:
        port = int(url.rsplit(":", 1)[1])
        with pytest.raises(ConfigError, match=f"TEST: can't listen on 127.0.0.1:{port} .* choose another port"):
            open_http_server(app, stack, host="127.0.0.1", port=port, setting="TEST")


def test_a_host_of_no_possible_name_is_a_config_error() -> None:
    """Such a name fails before it is looked up."""
    with pytest.raises(ConfigError, match=r"TEST: can't listen on ü\.\.b:0 \(not a host name\)"):
        listen("ü..b", 0, "TEST")


def test_a_connection_sends_small_pieces_at_once() -> None:
    """The body of a response doesn't wait for the acknowledgement of its headers, which clients delay by 40 ms."""
    with (
        listen("127.0.0.1", 0, "TEST") as listener,
        socket.create_connection(listener.getsockname()),
    ):
        accepted, _address = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
