"""A small threaded WSGI server: the standard library's, with a clear answer when the port is taken."""

import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from core.errors import ConfigError

StartResponse = Callable[[str, list[tuple[str, str]]], Any]
#: How soon `close` is noticed.
_POLL_S: Final = 0.05

App = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    # Two tasks on one host must not share a port in silence.
    allow_reuse_port = False


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_args: Any) -> None:
        """Probes come every few seconds; they are no news."""


class HttpServer:
    """Serves `app` on a thread of its own from construction to `close`."""

    def __init__(self, app: App, *, host: str, port: int, setting: str) -> None:
        """Listen.

        Args:
            app: what answers.
            host: address to listen on.
            port: 0 picks a free one.
            setting: the variable to name when the address can't be had.

        Raises:
            ConfigError: the port is taken or not allowed, or the host is not ours.
        """
        try:
            self._server = make_server(host, port, app, server_class=_Server, handler_class=_Quiet)
        except OSError as error:
            raise ConfigError(
                f"{setting}: can't listen on {host}:{port} ({error.strerror}); choose another port, 0 picks a free one"
            ) from None
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_S,), name=f"http-{self.port}", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_port)

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def respond(start: StartResponse, status: str, body: bytes, content_type: str = "application/json") -> list[bytes]:
    """One whole answer."""
    start(status, [("Content-Type", content_type), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")])
    return [body]
