"""Serves an ASGI app on a thread of its own, with uvicorn."""

import contextlib
import logging
import socket
import threading
import time
from contextlib import ExitStack
from typing import Any, Final, cast

import msgspec
import uvicorn
from starlette.types import ASGIApp

from core.errors import FatalError
from runtime.http import allowed_connections, listen
from services.http.connections import Connections, ServerBounds, protocol_of

_BACKLOG: Final = 1024
#: Maximum time for the app's start, and for its end after the drain.
_BEGIN_S: Final = 30.0
_END_S: Final = 5.0
_GLANCE_S: Final = 0.01
#: Ticks of uvicorn (0.1 s) between two checks of the connections.
_TICKS: Final = 3

DEFAULT_BOUNDS: Final = ServerBounds()


class AsgiServer:
    """A server that answers until `close`."""

    def __init__(self, server: uvicorn.Server, thread: threading.Thread, port: int, end_s: float) -> None:
        self._server = server
        self._thread = thread
        self._end_s = end_s
        #: The port it listens on.
        self.port = port

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Stop listening. Requests that are being answered are waited for, then cancelled. Idempotent."""
        self._server.should_exit = True
        self._thread.join(self._end_s)


def open_asgi_server(
    app: ASGIApp, stack: ExitStack, *, host: str, port: int, setting: str, bounds: ServerBounds = DEFAULT_BOUNDS
) -> AsgiServer:
    """Start a server, which `stack` closes.

    Args:
        app: answers the requests.
        stack: closes the server.
        host: address to listen on.
        port: 0 picks a free one.
        setting: the variable that an error names.
        bounds: the maximum of connections is lower if the process may open few files.

    Raises:
        ConfigError: the port is taken or not allowed, or `host` is not an address of this machine.
        FatalError: the app did not start.
    """
    listener = listen(host, port, setting)
    port = listener.getsockname()[1]
    bounds = msgspec.structs.replace(bounds, connections=allowed_connections(bounds.connections))
    server = _Server(app, bounds)
    thread = threading.Thread(target=server.serve_on, args=(listener,), name=f"http-{port}", daemon=True)
    thread.start()
    opened = AsgiServer(server, thread, port, bounds.drain_s + _END_S)
    stack.callback(opened.close)
    deadline = time.monotonic() + _BEGIN_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            listener.close()
            raise FatalError("the HTTP server did not start; see the log lines above")
        time.sleep(_GLANCE_S)
    return opened


class _Server(uvicorn.Server):
    """Uvicorn, whose connections are bounded."""

    def __init__(self, app: ASGIApp, bounds: ServerBounds) -> None:
        self._bounded = Connections(bounds)
        # its warnings quote clients' data; its errors don't
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
        super().__init__(
            uvicorn.Config(
                cast("Any", app),
                http=cast("Any", protocol_of(self._bounded)),
                ws="none",
                loop="asyncio",
                lifespan="on",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                backlog=_BACKLOG,
                timeout_keep_alive=round(bounds.idle_s),
                timeout_graceful_shutdown=round(bounds.drain_s),
                h11_max_incomplete_event_size=bounds.header_bytes,
            )
        )

    def serve_on(self, listener: socket.socket) -> None:
        """Serve until `should_exit`."""
        with contextlib.suppress(SystemExit):  # uvicorn's way to say that the app did not start
            self.run([listener])

    async def on_tick(self, counter: int) -> bool:
        """Called by uvicorn ten times a second."""
        if counter % _TICKS == 0:
            self._bounded.look()
        return await super().on_tick(counter)
