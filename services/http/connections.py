"""Connections of an ASGI server with bounds on their number and on the time that each may take.

Uvicorn closes connections that are idle after a response, and bounds the size of headers (`timeout_keep_alive`,
`h11_max_incomplete_event_size`). It has no timeout for a client that sends nothing at first, sends its headers slowly,
sends on after it was refused, or does not read; and none of its bounds makes room for others.
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

#: A new connection is left alone for this long, although others wait for its place: its request is on the way.
_GRACE_S: Final = 1.0
#: The share of the connections that make room at once when there are too many.
_EVICTED: Final = 8
#: How long a connection waits for room.
_WAIT_S: Final = 5.0
_HEADERS_TOO_LARGE: Final = 431


class ServerBounds(Struct, frozen=True, kw_only=True):
    """Bounds of a server.

    Attributes:
        connections: open at a time; at this number the longest idle ones are closed.
        header_bytes: of a request line and its headers; up to twice as many may pass.
        idle_s: how long a connection may send nothing between requests, and before the first.
        header_s: how long a request line and its headers may take.
        write_s: how long a client may read nothing of its response.
        linger_s: how long a refused connection is read on: a reset at once would take the answer from its client.
        drain_s: how long requests that are being answered are waited for at the end.
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
        #: Connected and not read yet, in order.
        self._waiting: deque[Connection] = deque()
        self._leaving: set[Connection] = set()
        self._max_s: dict[State, float] = {
            "idle": bounds.idle_s,
            "reading": bounds.header_s,
            "serving": float("inf"),  # the app bounds it
            "writing": bounds.write_s,
            "leaving": bounds.linger_s,
        }

    def add(self, connection: "Connection") -> None:
        """Take a new connection in, or let it wait for room; too many waiting ones are refused."""
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
        """Close what is overdue, and make room for those that wait. Called several times a second."""
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
    """A connection that knows since when it has been in its state, and refuses with a problem document."""

    def __init__(self, connections: Connections, **options: Any) -> None:
        """Count it among `connections`; `options` are uvicorn's."""
        super().__init__(**options)
        self._among = connections
        self._leaving = False
        self.since = time.monotonic()
        self._was: tuple[State, object] = ("idle", None)

    @property
    def state(self) -> State:
        """What the connection is waiting for: a request, the rest of one, its answer, or its client."""
        if self._leaving:
            return "leaving"
        if self.flow.write_paused or self.transport.is_closing():
            return "writing"
        if self.cycle is not None and not self.cycle.response_complete:
            return "serving"
        if self.conn.their_state is h11.SEND_BODY:  # it was answered before its body had been read
            return "leaving"
        return "reading" if self.conn.trailing_data[0] else "idle"

    def age(self, now: float) -> float:
        """Seconds since it was first seen in its state, with no further request in between."""
        found = (self.state, self.cycle)
        if found != self._was:
            self._was, self.since = found, now
        return now - self.since

    def refuse(self, problem: Problem) -> None:
        """Answer whatever comes with a problem, then close: at once if a response has begun."""
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
        """Called by the event loop. In pieces, as h11 measures headers only while they are incomplete."""
        size = self._among.bounds.header_bytes
        for at in range(0, len(data), size):
            if not self._leaving:  # what a refused client sends is dropped
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
    """What makes the connections of a server."""

    def make(**options: Any) -> Connection:
        return Connection(connections, **options)

    return make
