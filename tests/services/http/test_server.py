"""The server over sockets: silent, slow, greedy or many clients don't keep others from an answer."""

import json
import logging
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from core.environment import load_settings
from core.errors import ConfigError, FatalError
from core.service_settings import RagSettings
from services.http import connections
from services.http.admission import AdmissionBounds
from services.http.bodies import BodyBounds
from services.http.connections import ServerBounds
from services.http.running import bounds_of
from services.http.server import AsgiServer, open_asgi_server
from tests.rigs.waiting import PATIENCE_S, wait_until
from tests.services.http.apps import SECRET, App

HEALTH: Final = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@contextmanager
def serving(app: App | None = None, **bounds: Any) -> Iterator[AsgiServer]:
    """A server of the small app with these bounds."""
    with ExitStack() as stack:
        app = app or App()
        stack.callback(app.release.set)
        yield open_asgi_server(app.app, stack, host="127.0.0.1", port=0, setting="TEST", bounds=ServerBounds(**bounds))


def connect(server: AsgiServer) -> socket.socket:
    """A connection with a long timeout."""
    return socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S)


def read(connection: socket.socket) -> bytes:
    """Everything up to the connection's end."""
    found = b""
    with suppress(ConnectionResetError):
        while block := connection.recv(65_536):
            found += block
    return found


def ask(server: AsgiServer, request: bytes = HEALTH) -> bytes:
    """The whole answer to a request, on a connection of its own."""
    with connect(server) as connection:
        connection.sendall(request)
        return read(connection)


def request(app: App, method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """A request with a valid token whose connection ends after it."""
    given = {"Host": "x", "Connection": "close", **app.issuer.headers()}
    if body:
        given |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def _send_fails(connection: socket.socket, sent: bytes) -> bool:
    try:
        connection.sendall(sent)
    except OSError:
        return True
    return False


def problem_of(answer: bytes) -> dict[str, Any]:
    """The problem document of an answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    problem: dict[str, Any] = json.loads(body)
    return problem


def test_requests_are_answered_until_close() -> None:
    """The server answers, and its thread and port end with the stack."""
    with serving() as server:
        assert ask(server).startswith(b"HTTP/1.1 200 OK")
    assert not server.alive
    with pytest.raises(ConnectionRefusedError):
        connect(server)


def test_a_taken_port_is_a_config_error() -> None:
    """The error names the setting and the address, and says to choose another port."""
    with (
        serving() as server,
        ExitStack() as stack,
        pytest.raises(ConfigError, match=r"TEST: can't listen on 127\.0\.0\.1"),
    ):
        open_asgi_server(App().app, stack, host="127.0.0.1", port=server.port, setting="TEST")


def test_an_app_that_does_not_start_is_a_fatal_error() -> None:
    """An app whose start fails is an error of one line, and its port is free again."""

    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive, send
        raise RuntimeError(SECRET)

    app: ASGIApp = broken
    with ExitStack() as stack, pytest.raises(FatalError, match="did not start"):
        open_asgi_server(app, stack, host="127.0.0.1", port=0, setting="TEST")


def test_silent_connections_keep_nobody_from_an_answer() -> None:
    """With 500 silent connections and room for 300 requests are answered, as the oldest are closed with a 503."""
    with serving(connections=300) as server, ExitStack() as stack:
        silent = [stack.enter_context(connect(server)) for _ in range(200)]
        assert ask(server).startswith(b"HTTP/1.1 200 OK")
        silent += [stack.enter_context(connect(server)) for _ in range(300)]
        answers = [ask(server) for _ in range(5)]
        assert all(answer.startswith(b"HTTP/1.1 200 OK") for answer in answers)
        assert problem_of(read(silent[0]))["status"] == 503


def test_without_room_a_connection_is_refused_with_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """If every connection is busy, another one gets 503 after a while."""
    monkeypatch.setattr(connections, "_WAIT_S", 0.5)
    app = App()
    with serving(app, connections=1) as server, connect(server) as busy:
        busy.sendall(request(app, "GET", "/api/v1/waits"))
        wait_until(lambda: bool(app.stops))
        answer = ask(server)
        assert problem_of(answer)["status"] == 503
        assert b"retry-after: 1" in answer.lower()
        app.release.set()
        assert read(busy).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("sent", [b"", b"GET /health HT", HEALTH[:-2]])
def test_a_connection_that_stalls_is_closed(sent: bytes) -> None:
    """A client that sends nothing, or not the end of its headers, is closed."""
    with serving(idle_s=1, header_s=1) as server, connect(server) as connection:
        connection.sendall(sent)
        assert read(connection) == b""


def test_headers_that_drip_are_closed() -> None:
    """Single bytes don't extend the time that headers may take."""
    with serving(header_s=1) as server, connect(server) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nX-Long: ")
        wait_until(lambda: _send_fails(connection, b"x"))
        assert ask(server).startswith(b"HTTP/1.1 200 OK")


def test_a_body_that_drips_is_408() -> None:
    """A body that does not arrive in time is a problem."""
    app = App(body=BodyBounds(read_s=0.5))
    with serving(app) as server, connect(server) as connection:
        connection.sendall(request(app, "POST", "/api/v1/notes/n1", b'{"text"', Content_Length="100"))
        assert problem_of(read(connection))["status"] == 408


def test_an_endless_body_is_413_and_ends() -> None:
    """An endless body is refused at the limit, and reading stops."""
    app = App()
    with serving(app, linger_s=1) as server, connect(server) as connection:
        connection.sendall(request(app, "POST", "/api/v1/notes/n1", b" ", Content_Length="999999999999"))
        assert problem_of(read(connection))["status"] == 413
    with serving(app, linger_s=1) as server, connect(server) as connection:
        head = request(app, "POST", "/api/v1/notes/n1", Transfer_Encoding="chunked", Content_Type="application/json")
        connection.sendall(head.replace(b"Connection: close\r\n", b""))
        wait_until(lambda: _send_fails(connection, b"1000\r\n" + b"x" * 4096 + b"\r\n"), every_s=0.001)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 40_000 + b"\r\n\r\n", 431),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"GET /health/a%00b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 400),
        (b"GET /health?a=%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 400),
    ],
)
def test_malformed_http_is_a_problem(sent: bytes, status: int) -> None:
    """A request that is not HTTP, has too large or conflicting headers, or NUL in its path is a problem document."""
    with serving() as server:
        assert problem_of(ask(server, sent))["status"] == status


def test_malformed_chunks_end_a_request_without_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """Malformed chunks get 400 and end the request that waited for them."""
    app = App()
    caplog.set_level(logging.DEBUG)
    with serving(app) as server:
        head = request(app, "POST", "/api/v1/notes/n1", Transfer_Encoding="chunked", Content_Type="application/json")
        assert problem_of(ask(server, head + b"zzz\r\n"))["status"] == 400
        wait_until(lambda: app.metric("tickets_http_inflight") == 0)
    assert "Traceback" not in caplog.text


def test_more_requests_than_places_are_503() -> None:
    """A request beyond the running and waiting ones gets 503 with Retry-After; the others are answered."""
    app = App(admission=AdmissionBounds(concurrent=1, waiting=1, wait_s=PATIENCE_S))
    with serving(app) as server, ExitStack() as stack:
        first, second = (stack.enter_context(connect(server)) for _ in range(2))
        first.sendall(request(app, "GET", "/api/v1/waits"))
        wait_until(lambda: bool(app.stops))
        second.sendall(request(app, "POST", "/api/v1/notes/n1", b'{"text": "a"}'))
        wait_until(lambda: app.metric("tickets_http_inflight") == 2)
        answer = ask(server, request(app, "POST", "/api/v1/notes/n1", b'{"text": "a"}'))
        assert problem_of(answer)["status"] == 503
        assert b"retry-after: 1" in answer.lower()
        assert ask(server).startswith(b"HTTP/1.1 200 OK")  # probes don't wait
        app.release.set()
        assert read(first).startswith(b"HTTP/1.1 200 OK")
        assert read(second).startswith(b"HTTP/1.1 200 OK")
        assert app.metric("tickets_http_refused_total", server="test") == 1


def test_waiting_is_bounded() -> None:
    """A request that waits too long gets 503."""
    app = App(admission=AdmissionBounds(concurrent=1, waiting=5, wait_s=0.1))
    with serving(app) as server, connect(server) as busy:
        busy.sendall(request(app, "GET", "/api/v1/waits"))
        wait_until(lambda: bool(app.stops))
        assert problem_of(ask(server, request(app, "GET", "/api/v1/waits")))["status"] == 503
        app.release.set()
        read(busy)


@pytest.mark.parametrize("path", ["/api/v1/waits", "/api/v1/streams/long"])
def test_a_disconnect_cancels(path: str) -> None:
    """A client's disconnect cancels its request and frees its place."""
    app = App(admission=AdmissionBounds(concurrent=1))
    with serving(app) as server:
        with connect(server) as connection:
            connection.sendall(request(app, "GET", path))
            wait_until(lambda: bool(app.stops))
            if "streams" in path:
                assert connection.recv(100)
        assert app.cancelled.wait(PATIENCE_S)
        wait_until(app.stops[0].is_set)
        app.release.set()
        assert ask(server, request(app, "GET", "/api/v1/waits")).startswith(b"HTTP/1.1 200 OK")


def test_a_client_that_reads_nothing_is_closed() -> None:
    """If a client doesn't read its response, the connection is closed and the request cancelled."""
    app = App()
    with serving(app, write_s=1) as server, socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(request(app, "GET", "/api/v1/streams/large"))
        assert app.cancelled.wait(PATIENCE_S)


def test_close_waits_for_requests_then_cancels_them(caplog: pytest.LogCaptureFixture) -> None:
    """A request that ends within the drain is answered; one that does not is cancelled with 503, and close returns."""
    app = App()
    with serving(app, drain_s=PATIENCE_S) as server, connect(server) as connection:
        connection.sendall(request(app, "GET", "/api/v1/waits"))
        wait_until(lambda: bool(app.stops))
        closing = threading.Thread(target=server.close)
        closing.start()
        app.release.set()
        assert read(connection).startswith(b"HTTP/1.1 200 OK")
        closing.join(PATIENCE_S)
        assert not server.alive
    app = App()
    with serving(app, drain_s=1) as server, connect(server) as connection:
        connection.sendall(request(app, "GET", "/api/v1/waits"))
        wait_until(lambda: bool(app.stops))
        server.close()
        assert app.cancelled.is_set()
        assert not server.alive
        assert problem_of(read(connection))["status"] == 503
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(("proxies", "idle_s"), [("0", 30.0), ("1", 75.0)])
def test_a_proxys_connections_are_kept_longer_than_the_proxy_keeps_them(proxies: str, idle_s: float) -> None:
    """Behind a proxy an idle connection stays open for 75 s: the load balancer's own limit is 65."""
    balancer = (Path(__file__).parents[3] / "deploy" / "terraform" / "modules" / "balancer" / "main.tf").read_text()
    (kept,) = re.findall(r"idle_s = (\d+)", balancer)
    bounds = bounds_of(load_settings({"TICKETS_LIMITS__TRUSTED_PROXIES": proxies}))
    assert bounds.idle_s == idle_s
    assert (bounds.idle_s > int(kept) > RagSettings().timeout_s) == (proxies == "1")
