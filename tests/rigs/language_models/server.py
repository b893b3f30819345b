"""The fake language-model server, with the faults of its replies."""

import json
import select
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from typing import Any, Final, Self

from tests.rigs.language_models.dialects import Spoken, speak
from tests.rigs.language_models.event_stream import broken
from tests.rigs.language_models.replies import Reply, Request

#: Statuses of the faults that replace an answer.
_STATUSES: Final = {"throttled": 429, "unavailable": 503, "denied": 403, "no_model": 404, "bad_request": 400}


class LanguageModelServer:
    """Listens on loopback from construction to `close`. Every method may be called from any thread."""

    def __init__(self, *replies: Reply) -> None:
        """Answer with `replies` in turn, repeating the last one."""
        self.requests: list[Request] = []
        self.closing = threading.Event()
        #: Connections that the other side closed before the end of a reply.
        self.left = 0
        self.connections = 0
        #: Requests whose reply hasn't ended.
        self.answering = 0
        self._replies = list(replies) or [Reply()]
        self._lock = threading.Lock()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The server's address, without a path."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def calls(self) -> int:
        """Number of requests so far."""
        return len(self.requests)

    def script(self, *replies: Reply) -> None:
        """Answer with these from now on."""
        with self._lock:
            self._replies = list(replies)

    def forget(self) -> None:
        """Reset the counts, and ignore connections that are open now."""
        with self._lock:
            self.requests.clear()
            self.left = self.connections = 0

    def close(self) -> None:
        """End every connection."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def take(self, request: Request) -> Reply:
        """The reply to a request."""
        with self._lock:
            self.requests.append(request)
            return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]

    def begin(self) -> None:
        """A request has arrived."""
        with self._lock:
            self.answering += 1

    def end(self) -> None:
        """A reply has ended."""
        with self._lock:
            self.answering -= 1

    def was_left(self) -> None:
        """The other side closed the connection."""
        with self._lock:
            self.left += 1


class _HungUpError(Exception):
    """The server has closed the connection on purpose."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, owner: LanguageModelServer) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, *_: object) -> None:
        pass  # the client disconnected


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65_536
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.owner.connections += 1

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        body: dict[str, Any] = json.loads(content)
        self.server.owner.begin()
        try:
            self._reply(headers, body)
        finally:
            self.server.owner.end()

    def _reply(self, headers: dict[str, str], body: dict[str, Any]) -> None:
        reply = self.server.owner.take(Request(self.path, headers, body, time.monotonic()))
        spoken = speak(self.path, body, reply.text, reply.tokens, _STATUSES.get(reply.fault or "", 200))
        try:
            if spoken is None:
                self._send(404, b"{}", {})
            else:
                self._answer(reply, spoken, streamed="stream" in self.path or bool(body.get("stream")))
        except _HungUpError:
            self.close_connection = True
        except OSError:
            self.server.owner.was_left()
            self.close_connection = True

    def _answer(self, reply: Reply, spoken: Spoken, *, streamed: bool) -> None:
        more = {} if reply.retry_after is None else {"Retry-After": reply.retry_after}
        if reply.fault in _STATUSES:
            self._send(_STATUSES[reply.fault], spoken.error, {**spoken.error_headers, **more})
        elif reply.fault == "redirect":
            self._send(307, b"", {"Location": f"{self.server.owner.url}/elsewhere"})
        elif reply.fault == "hang_up":
            self._hang_up()
        elif reply.fault == "not_http":
            self.wfile.write(b"\x15\x03\x01\x00\x02\x02\x16 this is not HTTP\r\n\r\n")
            self._hang_up()
        elif reply.fault == "silent":
            self._wait_until_left()
        elif not streamed:
            time.sleep(reply.pause_s)
            self._send(200, self._whole(reply, spoken), {"Content-Type": "application/json"})
        else:
            self._stream(reply, spoken)

    def _whole(self, reply: Reply, spoken: Spoken) -> bytes:
        if reply.fault == "garbage":
            return b"<html>Bad gateway</html>"
        return spoken.whole[:-9] if reply.fault == "half_frame" else spoken.whole

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, reply: Reply, spoken: Spoken) -> None:
        self.send_response(200)
        self.send_header("Content-Type", spoken.content_type)
        self.send_header("Transfer-Encoding", "chunked")
        if reply.fault == "compressed":
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        half = len(spoken.pieces) // 2
        self._chunks(spoken.pieces[:half] if reply.fault else spoken.pieces, reply.pause_s)
        if reply.fault is None or reply.fault == "compressed":
            self._chunks(spoken.end, reply.pause_s)
        else:
            _FAULTS[reply.fault](self, spoken, spoken.pieces[half])
        self.wfile.write(b"0\r\n\r\n")

    def _chunks(self, pieces: Iterable[bytes], pause_s: float = 0.0) -> None:
        for piece in pieces:
            if pause_s and self._left_within(pause_s):
                raise ConnectionResetError
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()

    def _stall(self, _spoken: Spoken, _piece: bytes) -> None:
        self._wait_until_left()

    def _drip(self, spoken: Spoken, _piece: bytes) -> None:
        for byte in cycle(b"".join(spoken.pieces)):
            self._chunks([bytes([byte])], 0.02)

    def _cut(self, _spoken: Spoken, piece: bytes) -> None:
        self.wfile.write(b"%x\r\n%s" % (len(piece), piece[:7]))
        self._hang_up()

    def _half_frame(self, _spoken: Spoken, piece: bytes) -> None:
        self._chunks([piece[: len(piece) // 2]])

    def _no_end(self, spoken: Spoken, piece: bytes) -> None:
        self._chunks([piece, *spoken.pieces[spoken.pieces.index(piece) + 1 :]])

    def _error_midway(self, spoken: Spoken, _piece: bytes) -> None:
        self._chunks([spoken.late, *spoken.end])

    def _garbage(self, spoken: Spoken, _piece: bytes) -> None:
        self._chunks([spoken.garbage, *spoken.end])

    def _bad_checksum(self, spoken: Spoken, piece: bytes) -> None:
        self._chunks([broken(piece), *spoken.end])

    def _endless(self, spoken: Spoken, _piece: bytes) -> None:
        while True:
            self._chunks(spoken.pieces[2:])

    def _long_line(self, _spoken: Spoken, _piece: bytes) -> None:
        self._chunks([b"data: "])
        while True:
            self._chunks([b"x" * 8_192])

    def _wait_until_left(self) -> None:
        while not self._left_within(0.05):
            pass
        raise ConnectionResetError

    def _left_within(self, seconds: float) -> bool:
        """Wait for at most `seconds` until the client closes the connection."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            ready, _, _ = select.select([self.connection], [], [], min(left, 0.05))
            if ready and not self.connection.recv(1, socket.MSG_PEEK):
                return True
            if self.server.owner.closing.is_set():
                return True
        return False

    def _hang_up(self) -> None:
        self.wfile.flush()
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        raise _HungUpError


_FAULTS: Final[dict[str, Callable[[_Handler, Spoken, bytes], None]]] = {
    "stall": _Handler._stall,
    "drip": _Handler._drip,
    "cut": _Handler._cut,
    "half_frame": _Handler._half_frame,
    "no_end": _Handler._no_end,
    "error_midway": _Handler._error_midway,
    "garbage": _Handler._garbage,
    "bad_checksum": _Handler._bad_checksum,
    "endless": _Handler._endless,
    "long_line": _Handler._long_line,
}
