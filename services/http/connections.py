"""Connections of an ASGI server with bounds on their number and times.

Uvicorn closes connections that are idle after a response, and bounds the size of headers (`timeout_keep_alive`,
`h11_max_incomplete_event_size`). It has no timeout for a client that sends nothing at first, sends its headers slowly,
keeps sending after a refusal, or does not read; and it never closes idle connections to make room for others.
"""

import asyncio
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Literal

import h11
from msgspec import Struct
from uvicorn.protocols.http.h11_impl import H11Protocol

from services.http.problems import Problem, unavailable

State = Literal["idle", "reading", "serving", "writing", "leaving"]

#: Minimum age of a connection that is closed to make room: its request may be on the way.
_GRACE_S: Final = 1.0
#: The share of the connections that are closed at once to make room.
_EVICTED: Final = 8
#: Maximum time for which a connection waits for room, in seconds.
_WAIT_S: Final = 5.0
_HEADERS_TOO_LARGE: Final = 431


class ServerBounds(Struct, frozen=True, kw_only=True):
    """Bounds of a server.

    Attributes:
        connections: maximum open ones; at this number the longest idle ones are closed.
        header_bytes: maximum size of a request line and its headers; up to twice as many may pass.
        idle_s: maximum silence between requests and before the first.
        header_s: maximum time to receive a request line and its headers.
        write_s: maximum time without the client reading its response.
        linger_s: time for which a refused connection is still read, because a reset would discard the answer.
        drain_s: maximum wait for running requests at the shutdown.
    """

    connections: int = 1024
    header_bytes: int = 16 * 1024
    idle_s: float = 30.0
    header_s: float = 10.0
    write_s: float = 30.0
    linger_s: float = 2.0
    drain_s: float = 10.0


class Connections:
    """The connections of a server, within its bounds. Used from the server's event loop."""

    def __init__(self, bounds: ServerBounds) -> None:
        self.bounds = bounds
        self._open: set[Connection] = set()
        #: Connections that wait for room, in order.
        self._waiting: deque[Connection] = deque()
        self._leaving: set[Connection] = set()
        self._max_s: dict[State, float] = {
            "idle": bounds.idle_s,
            "reading": bounds.header_s,
            "serving": float("inf"),  # bounded by the app
            "writing": bounds.write_s,
            "leaving": bounds.linger_s,
        }

    def add(self, connection: "Connection") -> None:
        """Accept a new connection, or let it wait for room; it is refused if too many wait."""
        if len(self._open) < self.bounds.connections:
            self._open.add(connection)
        elif len(self._waiting) < self.bounds.connections:
            connection.flow.pause_reading()
            self._waiting.append(connection)
        else:
            self._refuse(connection)

    def remove(self, connection: "Connection") -> None:
        """Forget a connection that has ended."""
        self._open.discard(connection)
        self._leaving.discard(connection)
        if connection in self._waiting:
            self._waiting.remove(connection)
        self._admit()

    def look(self) -> None:
        """Close overdue connections, and make room for waiting ones. Called several times a second."""
        now = time.monotonic()
        for one in [*self._open, *self._leaving]:
            if one.age(now) > self._max_s[one.state]:
                one.transport.abort()
        if self._waiting:
            idle = [one for one in self._open if one.state in ("idle", "reading") and one.age(now) > _GRACE_S]
            idle.sort(key=lambda one: one.since)
            for one in idle[: max(1, self.bounds.connections // _EVICTED)]:
                self._refuse(one)
            while self._waiting and self._waiting[0].age(now) > _WAIT_S:
                self._refuse(self._waiting.popleft())
        self._admit()

    def _admit(self) -> None:
        while self._waiting and len(self._open) < self.bounds.connections:
            connection = self._waiting.popleft()
            self._open.add(connection)
            connection.flow.resume_reading()

    def _refuse(self, connection: "Connection") -> None:
        self._open.discard(connection)
        if len(self._leaving) < self.bounds.connections:
            self._leaving.add(connection)
            connection.refuse(unavailable("Too many connections are open; try again in a second."))
        else:
            connection.transport.abort()


class Connection(H11Protocol):
    """A connection that tracks the age of its state, and can be refused with a problem document."""

    def __init__(self, connections: Connections, **options: Any) -> None:
        """Register it in `connections`; `options` are uvicorn's."""
        super().__init__(**options)
        self._among = connections
        self._leaving = False
        self.since = time.monotonic()
        self._was: tuple[State, object] = ("idle", None)

    @property
    def state(self) -> State:
        """The state: waiting for a request, for the rest of one, for its answer, or for the client to read."""
        if self._leaving:
            return "leaving"
        if self.flow.write_paused or self.transport.is_closing():
            return "writing"
        if self.cycle is not None and not self.cycle.response_complete:
            return "serving"
        if self.conn.their_state is h11.SEND_BODY:  # answered before its body was read
            return "leaving"
        return "reading" if self.conn.trailing_data[0] else "idle"

    def age(self, now: float) -> float:
        """Seconds since it was first seen in its present state, in the same request."""
        found = (self.state, self.cycle)
        if found != self._was:
            self._was, self.since = found, now
        return now - self.since

    def refuse(self, problem: Problem) -> None:
        """Answer the next request with a problem, then close; close at once if a response has begun."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True  # the app's own response is dropped
            self.cycle.message_event.set()
            if self.cycle.response_started:
                self.transport.abort()
                return
        self._unset_keepalive_if_required()
        self._leaving = True
        response = problem.response("none")
        headers = [*response.raw_headers, (b"connection", b"close")]
        head = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        self.transport.write(b"HTTP/1.1 %d \r\n%b\r\n%b" % (problem.status, head, bytes(response.body)))
        self.transport.write_eof()
        self.flow.resume_reading()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Called by the event loop."""
        super().connection_made(transport)
        self._among.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self._among.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop. Passes data on in pieces, as h11 measures only incomplete headers."""
        size = self._among.bounds.header_bytes
        for at in range(0, len(data), size):
            if not self._leaving:  # data from a refused client is dropped
                super().data_received(data[at : at + size])

    def send_400_response(self, msg: str) -> None:
        """Called while a request that is not HTTP is handled."""
        del msg
        error = sys.exc_info()[1]
        too_large = isinstance(error, h11.RemoteProtocolError) and error.error_status_hint == _HEADERS_TOO_LARGE
        if too_large:
            self.refuse(Problem("headers-too-large", f"Headers may have {self._among.bounds.header_bytes:,} bytes."))
        else:
            self.refuse(Problem("bad-request", "The request is not HTTP/1.1."))

    def shutdown(self) -> None:
        """Called when the server ends."""
        if self._leaving:
            self.transport.abort()
        else:
            super().shutdown()


def protocol_of(connections: Connections) -> Callable[..., Connection]:
    """A factory of a server's connections."""

    def make(**options: Any) -> Connection:
        return Connection(connections, **options)

    return make
