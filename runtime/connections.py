"""Waitress with bounds on connections, their times, and waiting requests.

Waitress reads and writes all connections on one thread, so a silent one costs a file descriptor and no thread. A
request goes to another thread once it is complete.
"""

import errno
import socket
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Final, Literal
from wsgiref.types import WSGIApplication

from msgspec import Struct
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

State = Literal["idle", "reading", "serving", "writing"]

#: Maximum seconds of a connection in each state. The app bounds the time of an answer.
_MAX_S: Final[dict[State, float]] = {"idle": 30.0, "reading": 10.0, "serving": float("inf"), "writing": 10.0}
#: Minimum age of a connection that is closed to make room: its request may be on the way.
_GRACE_S: Final = 1.0
#: The share of the connections that are closed at once to make room.
_EVICTED: Final = 8
#: Interval of checking the connections, and pause of accepting when the process is out of descriptors, in seconds.
_GLANCE_S: Final = 0.25
_BACKLOG: Final = 1024
_ACCEPTED_AT_ONCE: Final = 64
_NO_DESCRIPTOR: Final = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_STOP_S: Final = 5
#: Seconds for which a refused connection is still read, because a reset would discard the answer.
_LINGER_S: Final = 2.0
_LINGER_BYTES: Final = 64 * 1024


class Limits(Struct, frozen=True, kw_only=True):
    """Bounds of a server.

    Attributes:
        connections: maximum open ones; at this number the longest idle ones are closed.
        waiting: maximum complete requests that wait for a thread; further ones get 503.
        threads: number of threads that answer requests.
        urgent: paths with their own thread, whose requests no other delays. Their answers must be quick.
        header_bytes: maximum size of a request line and its headers.
        body_bytes: maximum size of a request's body.
    """

    connections: int = 1024
    waiting: int = 64
    threads: int = 4
    urgent: Collection[str] = ()
    header_bytes: int = 8 * 1024
    body_bytes: int = 64 * 1024


DEFAULT: Final = Limits()


class BoundedServer(TcpWSGIServer):  # type: ignore[misc]  # waitress has no types
    """A server of `app` on a bound socket. `run` serves until `stop` is called, and then closes everything."""

    def __init__(
        self, app: WSGIApplication, listener: socket.socket, limits: Limits, refused: Callable[[], None]
    ) -> None:
        """Listen on `listener`; `refused` is called for each request that is answered with 503."""
        self.channel_class = _Connection
        self._limits = limits
        self._stopping = False
        self._closed = False
        self._pulling = threading.Lock()
        self._accept_after = 0.0
        self._look_at = 0.0
        self._lingering: list[tuple[float, socket.socket]] = []
        adjustments = Adjustments(
            sockets=[listener],
            backlog=_BACKLOG,
            ident=None,
            log_socket_errors=False,
            max_request_header_size=limits.header_bytes,
            max_request_body_size=limits.body_bytes,
            inbuf_overflow=limits.body_bytes + 1,  # no request is written to a file
        )
        super().__init__(
            app,
            {},
            _sock=listener,
            dispatcher=_Lanes(limits, refused),
            adj=adjustments,
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
            bind_socket=False,
        )

    def run(self) -> None:
        """Serve until `stop`. Requests that are being answered are waited for."""
        while not self._stopping:
            self._close_some(time.monotonic())
            wasyncore.poll2(_GLANCE_S, self._map)
        self.task_dispatcher.shutdown()
        with self._pulling:
            self._closed = True
        wasyncore.close_all(self._map)
        self._linger(float("inf"))

    def pull_trigger(self) -> None:
        """Wake the loop, unless the server is closed: another file may have the trigger's descriptor by then."""
        with self._pulling:
            if not self._closed:
                super().pull_trigger()

    def stop(self) -> None:
        """Make `run` return. From any thread."""
        self._stopping = True
        self.pull_trigger()

    def readable(self) -> bool:
        """Whether a connection may be accepted."""
        return time.monotonic() >= self._accept_after and not self._full()

    def handle_accept(self) -> None:
        """Accept waiting connections. Without a free file descriptor, pause accepting."""
        try:
            for _ in range(_ACCEPTED_AT_ONCE):
                if self._full():
                    return
                connection, address = self.socket.accept()
                self.set_socket_options(connection)
                self.channel_class(self, connection, address, self.adj, map=self._map)
        except OSError as error:  # none is waiting, or the client has gone
            if error.errno in _NO_DESCRIPTOR:
                self._accept_after = time.monotonic() + _GLANCE_S

    def _full(self) -> bool:
        return len(self.active_channels) >= self._limits.connections

    def _close_some(self, now: float) -> None:
        """Close overdue connections, and the longest idle ones if there is no room for others.

        Between two polls: a descriptor closed in a poll may be a new connection's when its events are handled.
        """
        if now >= self._look_at:
            self._look_at = now + _GLANCE_S
            for connection in self._connections():
                if connection.age(now) > _MAX_S[connection.state]:
                    connection.handle_close()
            self._linger(now)
        if not self._full() and now >= self._accept_after:
            return
        idle = [one for one in self._connections() if one.state in {"idle", "reading"} and one.age(now) > _GRACE_S]
        idle.sort(key=lambda one: one.since)
        for connection in idle[: max(1, self._limits.connections // _EVICTED)]:
            # no lingering without free descriptors, because it keeps the socket open
            linger = self._full() and len(self._lingering) < self._limits.connections // 2
            turned_away = connection.turn_away(linger=linger)
            if turned_away is not None:
                self._lingering.append((now + _LINGER_S, turned_away))

    def _linger(self, now: float) -> None:
        """Read refused connections, and close those that have ended or are overdue."""
        lingering, self._lingering = self._lingering, []
        for until, connection in lingering:
            try:
                ended = not connection.recv(_LINGER_BYTES)
            except BlockingIOError:
                ended = False
            except OSError:
                ended = True
            if ended or now > until:
                connection.close()
            else:
                self._lingering.append((until, connection))

    def _connections(self) -> "list[_Connection]":
        return list(self.active_channels.values())


class _Parser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError:  # a Content-Length of thousands of digits, or a malformed address
            raise ParsingError("the request is malformed") from None


class _Connection(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """A connection that tracks the age of its state."""

    parser_class = _Parser

    def __init__(self, *args: object, **options: object) -> None:
        self.since = time.monotonic()
        self._answered = 0
        self._was: tuple[State, int] = ("idle", 0)
        super().__init__(*args, **options)

    @property
    def state(self) -> State:
        if self.total_outbufs_len or self.close_when_flushed:
            return "writing"
        if self.requests:
            return "serving"
        return "idle" if self.request is None else "reading"

    def age(self, now: float) -> float:
        """Seconds since it was first seen in its present state, without an answered request in between."""
        found = (self.state, self._answered)
        if found != self._was:
            self._was, self.since = found, now
        return now - self.since

    def turn_away(self, *, linger: bool) -> socket.socket | None:
        """Close the connection to make room; a request on the way gets 503.

        Returns the socket if it should linger, to be read for a while.
        """
        lingering = None
        status, headers, body = _Busy().to_response(None)
        head = "".join(f"{name}: {value}\r\n" for name, value in [*headers, ("Content-Length", str(len(body)))])
        with suppress(OSError):
            self.socket.send(f"HTTP/1.1 {status}\r\nConnection: close\r\n{head}\r\n".encode() + body)
            self.socket.shutdown(socket.SHUT_WR)
            if linger:
                lingering = self.socket.dup()
                lingering.setblocking(False)
        self.handle_close()
        return lingering

    def service(self) -> None:
        """Answer a request."""
        super().service()
        self._answered += 1


class _Busy:
    """The answer to a request beyond the queue."""

    def to_response(self, _ident: str | None) -> tuple[str, list[tuple[str, str]], bytes]:
        headers = [("Content-Type", "application/json"), ("Retry-After", "1"), ("Cache-Control", "no-store")]
        return "503 Service Unavailable", headers, b'{"error":"too many requests are waiting; try again in a second"}'


class _Lanes:
    """Assigns requests to threads: urgent ones and refusals to their own thread, the rest to a bounded queue."""

    def __init__(self, limits: Limits, refused: Callable[[], None]) -> None:
        self._limits = limits
        self._refused = refused
        self._work = _pool(limits.threads)
        self._urgent = _pool(1)

    def add_task(self, connection: _Connection) -> None:
        """Called with a connection whose first request is complete."""
        request = connection.requests[0]
        if not request.error and request.path not in self._limits.urgent:
            if len(self._work.queue) < self._limits.waiting:
                self._work.add_task(connection)
                return
            request.error = _Busy()
            self._refused()
        self._urgent.add_task(connection)

    def shutdown(self) -> None:
        """Drop waiting requests, and wait briefly for running ones."""
        for pool in (self._work, self._urgent):
            pool.shutdown(timeout=_STOP_S)


def _pool(threads: int) -> ThreadedTaskDispatcher:
    pool = ThreadedTaskDispatcher()
    pool.set_thread_count(threads)
    return pool
