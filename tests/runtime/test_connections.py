"""A server's limits, over sockets: silent, slow, greedy or many clients don't keep others from an answer."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from runtime import connections
from runtime.connections import Limits
from runtime.http import open_http_server, respond
from tests.rigs.waiting import wait_until

_PATIENCE_S: Final = 20.0
_LARGE: Final = 60_000_000


class _App:
    """Answers /wait once it may, /large with 60 MB, and any other path at once."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.served = count()
        self.waiting = 0

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        next(self.served)
        path = environ["PATH_INFO"]
        if path == "/wait":
            self.waiting += 1
            self.may.wait(_PATIENCE_S)
        if environ.get("CONTENT_LENGTH"):
            environ["wsgi.input"].read()
        if path == "/large":
            start("200 OK", [("Content-Length", str(_LARGE))])
            return (b"x" * 1_000_000 for _ in range(60))  # in parts: writing it whole would free the thread at once
        return respond(start, "200 OK", b"ok")


class _Server:
    def __init__(self, app: _App, port: int, refusals: list[int]) -> None:
        self.app = app
        self.port = port
        self.refusals = refusals

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=_PATIENCE_S)

    def ask(self, path: str = "/") -> bytes:
        """The whole answer to a request that ends its connection."""
        with self.connect() as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            return read(connection)


def read(connection: socket.socket) -> bytes:
    """Everything up to the connection's end."""
    found = b""
    with suppress(ConnectionResetError):
        while block := connection.recv(65_536):
            found += block
    return found


@contextmanager
def serving(**limits: object) -> Iterator[_Server]:
    """A server with these limits."""
    app, refusals = _App(), list[int]()
    with ExitStack() as stack:
        server = open_http_server(
            app,
            stack,
            host="127.0.0.1",
            port=0,
            setting="TEST",
            limits=Limits(**limits),  # type: ignore[arg-type]
            refused=lambda: refusals.append(1),
        )
        stack.callback(app.may.set)
        yield _Server(app, server.port, refusals)


def test_silent_connections_take_no_thread() -> None:
    """Hundreds of connections that say nothing delay no answer and start no thread."""
    with serving() as server:
        before = threading.active_count()
        silent = [server.connect() for _ in range(300)]
        began = time.monotonic()
        assert server.ask().endswith(b"ok")
        assert time.monotonic() - began < 2
        assert threading.active_count() <= before
        for connection in silent:
            connection.close()


@pytest.mark.parametrize(
    "begin",
    [b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n", b"POST / HTTP/1.1\r\nX: "],
    ids=["headers", "body", "one-header"],
)
def test_a_request_that_trickles_in_is_broken_off(monkeypatch: pytest.MonkeyPatch, begin: bytes) -> None:
    """A client that sends a byte now and then is cut off in time, although it is never silent for long."""
    monkeypatch.setitem(connections._MAX_S, "reading", 0.5)
    with serving() as server, server.connect() as connection:
        connection.sendall(begin)
        began = time.monotonic()
        with suppress(BrokenPipeError, ConnectionResetError):
            while time.monotonic() - began < _PATIENCE_S:
                connection.sendall(b"x")
                time.sleep(0.05)
        assert time.monotonic() - began < 5


def test_a_reader_that_stops_reading_lets_its_thread_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that asks for more than the network holds and reads none of it is cut off; its thread serves others."""
    monkeypatch.setitem(connections._MAX_S, "writing", 0.5)
    with serving(threads=1) as server, server.connect() as greedy:
        greedy.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_until(lambda: next(server.app.served) > 0)
        assert server.ask().endswith(b"ok")
        assert len(read(greedy)) < _LARGE


def test_idle_connections_are_closed_and_busy_ones_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kept connection is closed when it has been idle for long; one that asks again and again goes on."""
    monkeypatch.setitem(connections._MAX_S, "idle", 0.8)
    with serving() as server, server.connect() as idle, server.connect() as busy:
        idle.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        until = time.monotonic() + 2.4
        while time.monotonic() < until:
            busy.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while not answer.endswith(b"\r\n\r\nok"):
                answer += (block := busy.recv(65_536))
                assert block
            time.sleep(0.05)
        assert read(idle).endswith(b"ok")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 9_000 + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 2_000 + b"\r\n", b"431"),
        (b"POST / HTTP/1.1\r\nContent-Length: 70000\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n11170\r\n" + b"x" * 70_000, b"413"),
        (b"\x16\x03\x01\x02\r\n\r\n", b"400"),
    ],
    ids=["one-long-header", "many-headers", "long-body", "digits", "long-chunk", "tls"],
)
def test_a_request_out_of_bounds_is_a_4xx(request_: bytes, status: bytes) -> None:
    """Headers or bodies that are too long, and requests that aren't HTTP, get a 4xx, and the connection is closed."""
    with serving() as server, server.connect() as connection:
        connection.sendall(request_)
        assert connection.recv(65_536).split()[1] == status
        assert server.ask().endswith(b"ok")


def test_a_request_beyond_the_queue_is_told_to_come_again() -> None:
    """Requests beyond the queue get 503 with Retry-After at once; urgent ones and those in the queue are answered."""
    with serving(threads=2, waiting=3, urgent=("/health",)) as server, ExitStack() as stack:
        asked = [stack.enter_context(server.connect()) for _ in range(20)]
        for count, connection in enumerate(asked):
            if count == 2:
                wait_until(lambda: server.app.waiting == 2)  # both threads are busy, and the queue is empty
            connection.sendall(b"GET /wait HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        wait_until(lambda: len(server.refusals) == 15)
        assert server.ask("/health").endswith(b"ok")
        server.app.may.set()
        answers = [read(connection) for connection in asked]
    refused = [answer for answer in answers if answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")]
    assert len(refused) == 15
    assert all(b"Retry-After: 1\r\n" in answer for answer in refused)
    assert sum(answer.endswith(b"ok") for answer in answers) == 5


def test_a_flood_of_pipelined_requests_waits_its_turn() -> None:
    """Another client is answered between the hundreds of requests that one connection has pipelined."""
    with serving(threads=1) as server, server.connect() as greedy:
        greedy.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 200)
        assert server.ask().endswith(b"ok")
        assert len(server.refusals) == 0


def test_the_longest_idle_connections_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """With as many connections as allowed, the longest idle are turned away with 503, and newcomers are answered."""
    monkeypatch.setattr(connections, "_GRACE_S", 0.2)
    with serving(connections=32) as server, ExitStack() as stack:
        silent = [stack.enter_context(server.connect()) for _ in range(100)]
        assert server.ask().endswith(b"ok")
        assert read(silent[0]).startswith(b"HTTP/1.1 503 ")


def test_a_request_that_comes_too_late_reads_the_refusal_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is turned away is not reset while its request is on the way."""
    monkeypatch.setattr(connections, "_GRACE_S", 0.2)
    with serving(connections=32) as server, ExitStack() as stack:
        silent = [stack.enter_context(server.connect()) for _ in range(100)]
        assert silent[0].recv(1, socket.MSG_PEEK)
        for _ in range(2):
            silent[0].sendall(b"GET /large HTTP/1.1\r\n")
        assert read(silent[0]).startswith(b"HTTP/1.1 503 ")


def test_a_connection_that_is_being_answered_is_not_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that is being answered keeps its connection, however many others come."""
    monkeypatch.setattr(connections, "_GRACE_S", 0.1)
    with serving(connections=16) as server, ExitStack() as stack:
        asked = stack.enter_context(server.connect())
        asked.sendall(b"GET /wait HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        wait_until(lambda: server.app.waiting == 1)
        for _ in range(60):
            stack.enter_context(server.connect())
        assert server.ask().endswith(b"ok")
        server.app.may.set()
        assert read(asked).endswith(b"ok")


_FEW_FILES: Final = """
import resource, socket, sys, time
from contextlib import ExitStack
from runtime.http import open_http_server, respond
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
with ExitStack() as stack:
    app = lambda environ, start: respond(start, "200 OK", b"ok")
    server = open_http_server(app, stack, host="127.0.0.1", port=0, setting="TEST")
    taken = []
    print(server.port, flush=True)
    sys.stdin.readline()
    try:
        while True:
            taken.append(open("/dev/null"))
    except OSError:
        print("full", flush=True)
    sys.stdin.readline()
    began = time.process_time()
    time.sleep(1)
    print(time.process_time() - began, flush=True)
    for file in taken:
        file.close()
    sys.stdin.readline()
"""


def test_a_process_without_file_descriptors_waits_for_one() -> None:
    """Without free file descriptors connections wait, the loop doesn't spin, and later they are answered."""
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-c", _FEW_FILES]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        server = _Server(_App(), int(process.stdout.readline()), [])
        go_on = partial(print, file=process.stdin, flush=True)
        assert server.ask().endswith(b"ok")
        go_on()
        assert process.stdout.readline() == "full\n"
        with server.connect() as waiting:
            waiting.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            go_on()
            assert float(process.stdout.readline()) < 0.5
            assert read(waiting).endswith(b"ok")
        go_on()


def test_a_server_that_closes_answers_what_it_has_begun() -> None:
    """`close` waits for a request that is being answered, and the port is free afterwards."""
    app = _App()
    stack = ExitStack()
    opened = open_http_server(app, stack, host="127.0.0.1", port=0, setting="TEST")
    server = _Server(app, opened.port, [])
    answer: list[bytes] = []
    asker = threading.Thread(target=lambda: answer.append(server.ask("/wait")))
    asker.start()
    wait_until(lambda: app.waiting == 1)
    closer = threading.Thread(target=stack.close)
    closer.start()
    time.sleep(0.3)
    app.may.set()
    closer.join()
    asker.join()
    assert answer[0].endswith(b"ok")
    with pytest.raises(ConnectionRefusedError):
        server.connect()
