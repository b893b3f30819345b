"""A small threaded HTTP server for WSGI apps, whose connections, queue and times are bounded."""

import resource
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication

import msgspec

from core.errors import ConfigError
from runtime.connections import DEFAULT, BoundedServer, Limits

#: Maximum wait of `close` for the server's thread, in seconds.
_JOIN_S: Final = 15.0
#: File descriptors that a process asks for. A worker needs some hundred in addition to its connections.
_DESCRIPTORS: Final = 16_384
#: Maximum share of the process's file descriptors for a server's connections.
_SHARE: Final = 4


class HttpServer:
    """A server that answers on threads of its own until `close`."""

    def __init__(self, server: BoundedServer, thread: threading.Thread, port: int) -> None:
        self._server = server
        self._thread = thread
        #: The port it listens on.
        self.port = port

    def close(self) -> None:
        """Stop listening. Requests that are being answered are waited for, for some seconds."""
        self._server.stop()
        self._thread.join(_JOIN_S)


def open_http_server(
    app: WSGIApplication,
    stack: ExitStack,
    *,
    host: str,
    port: int,
    setting: str,
    limits: Limits = DEFAULT,
    refused: Callable[[], None] = lambda: None,
) -> HttpServer:
    """Start a server, which `stack` closes.

    Args:
        app: answers the requests.
        stack: closes the server.
        host: address to listen on.
        port: 0 picks a free one.
        setting: the variable that an error names.
        limits: bounds; the maximum of connections is lower if the process may open few files.
        refused: called for each request that is answered with 503 because too many wait.

    Raises:
        ConfigError: the port is taken or not allowed, or `host` is not an address of this machine.
    """
    listener = listen(host, port, setting)
    port = listener.getsockname()[1]
    allowed = allowed_connections(limits.connections)
    server = BoundedServer(app, listener, msgspec.structs.replace(limits, connections=allowed), refused)
    thread = threading.Thread(target=server.run, name=f"http-{port}", daemon=True)
    thread.start()
    opened = HttpServer(server, thread, port)
    stack.callback(opened.close)
    return opened


def listen(host: str, port: int, setting: str) -> socket.socket:
    """A listening socket; port 0 picks a free one.

    Raises:
        ConfigError: the port is taken or not allowed, or `host` is not an address of this machine. It names `setting`.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except (OSError, TypeError) as error:  # TypeError: no host name has this form
        reason = error.strerror if isinstance(error, OSError) else "not a host name"
        raise ConfigError(
            f"{setting}: can't listen on {host}:{port} ({reason}); choose another port (0 picks a free one) or host"
        ) from None
    # Connections inherit it. Without it a body waits 40 ms for the delayed acknowledgement of its headers; asyncio sets
    # it only on sockets whose protocol number isn't 0, as this one's is.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def allowed_connections(wanted: int) -> int:
    """The maximum of open connections: `wanted`, or fewer if the process may open few files."""
    return min(wanted, _descriptors() // _SHARE)


def _descriptors() -> int:
    """The maximum of open files of this process, after raising its soft limit if that is low."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return _DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        return soft
    return wanted


def respond(start: StartResponse, status: str, body: bytes, content_type: str = "application/json") -> list[bytes]:
    """Send a complete response with `no-store`."""
    start(status, [("Content-Type", content_type), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")])
    return [body]
