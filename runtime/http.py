"""A small threaded HTTP server for WSGI apps, built on the standard library."""

import threading
from contextlib import ExitStack
from socketserver import ThreadingMixIn
from typing import Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIApplication

from core.errors import ConfigError

#: How often `serve_forever` looks for a shutdown; `close` takes at most this long.
_POLL_S: Final = 0.05
#: How long `close` waits for the server's thread.
_JOIN_S: Final = 5.0


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    # With port reuse, two tasks on one host would share a port unnoticed.
    allow_reuse_port = False


class _Handler(WSGIRequestHandler):
    def log_message(self, *_args: object) -> None:
        """Log nothing: probes arrive every few seconds."""


class HttpServer:
    """A server that answers on a thread of its own until `close`."""

    def __init__(self, server: WSGIServer, thread: threading.Thread) -> None:
        self._server = server
        self._thread = thread

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_port)

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(_JOIN_S)


def open_http_server(app: WSGIApplication, stack: ExitStack, *, host: str, port: int, setting: str) -> HttpServer:
    """Start a server, which `stack` closes.

    Args:
        app: answers the requests.
        stack: closes the server.
        host: address to listen on.
        port: 0 picks a free one.
        setting: the variable that an error names.

    Raises:
        ConfigError: the port is taken or not allowed, or `host` is not an address of this machine.
    """
    try:
        server = make_server(host, port, app, server_class=_Server, handler_class=_Handler)
    except OSError as error:
        raise ConfigError(
            f"{setting}: can't listen on {host}:{port} ({error.strerror}); choose another port, 0 picks a free one"
        ) from None
    name = f"http-{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(_POLL_S,), name=name, daemon=True)
    thread.start()
    opened = HttpServer(server, thread)
    stack.callback(opened.close)
    return opened


def respond(start: StartResponse, status: str, body: bytes, content_type: str = "application/json") -> list[bytes]:
    """Send a complete response, which no cache keeps."""
    start(status, [("Content-Type", content_type), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")])
    return [body]
