"""A fake Amazon Bedrock that serves Titan Text Embeddings V2, as strictly as the real one, with a test's faults."""

import json
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

from msgspec import Struct

from models.run.hashing import HashingEmbedder

PATH: Final = "/model/amazon.titan-embed-text-v2%3A0/invoke"
_MAX_TOKENS: Final = 8_192
_MAX_CHARACTERS: Final = 50_000
_SIZES: Final = (256, 512, 1024)


class Answer(Struct, frozen=True, kw_only=True):
    """A reply on the wire.

    Attributes:
        code: of an error, as AWS names it.
        body: None: of a right answer, or of an error.
        cut: the connection ends after half of the body.
        silent: there is no reply, while the connection stays open.
    """

    status: int = 200
    code: str = ""
    body: bytes | None = None
    headers: dict[str, str] = {}
    pause_s: float = 0.0
    cut: bool = False
    silent: bool = False


REFUSED: Final = Answer(status=400, code="ValidationException")
DENIED: Final = Answer(status=403, code="AccessDeniedException")
THROTTLED: Final = Answer(status=429, code="ThrottlingException")
DOWN: Final = Answer(status=503, code="ServiceUnavailableException")

#: Chooses the answer to the nth request (from 1) for a text; None: the right one.
Behaviour = Callable[[str, int], Answer | None]


def always(answer: Answer) -> Behaviour:
    """Answer every request with `answer`."""
    return lambda _text, _nth: answer


def for_text(bad: str, answer: Answer) -> Behaviour:
    """Answer requests for the text `bad` with `answer`, and others rightly."""
    return lambda text, _nth: answer if text == bad else None


def right_vector(text: str, size: int) -> list[float]:
    """The server's vector of a text: texts that share words have similar ones."""
    return [*map(float, HashingEmbedder().embed([text])[0]), *[0.0] * size][:size]


def right_body(text: str, size: int) -> dict[str, Any]:
    """The server's answer."""
    vector = right_vector(text, size)
    return {"embedding": vector, "embeddingsByType": {"float": vector}, "inputTextTokenCount": len(text.split()) + 2}


class TitanServer:
    """Listens on loopback from construction to `close`. Every method may be called from any thread."""

    def __init__(self) -> None:
        #: How often each text was asked for, and answered rightly.
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.most_at_once = 0
        self.closing = threading.Event()
        self._behave: Behaviour = lambda _text, _nth: None
        self._at_once = 0
        self._lock = threading.Lock()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def behave(self, how: Behaviour = lambda _text, _nth: None) -> None:
        """Answer as `how` says from now on, and forget all requests."""
        with self._lock:
            self._behave = how
            self.asked.clear()
            self.answered.clear()
            self.bodies.clear()
            self.headers.clear()
            self.most_at_once = 0

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

    def take(self, path: str, headers: dict[str, str], body: dict[str, Any]) -> Answer:
        """The answer to a request. What Bedrock refuses is refused, whatever the test wants."""
        text = body.get("inputText", "")
        with self._lock:
            self.bodies.append(body)
            self.headers.append(headers)
            self.asked[text] += 1
            chosen = self._behave(text, self.asked[text])
            answer = refusal(path, headers, body) or chosen or Answer()
            if answer.status == 200 and answer.body is None and not (answer.cut or answer.silent):
                self.answered[text] += 1
        return answer

    def begin(self) -> None:
        """A request is being answered."""
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)

    def end(self) -> None:
        """A request has its answer."""
        with self._lock:
            self._at_once -= 1


def refusal(path: str, headers: dict[str, str], body: dict[str, Any]) -> Answer | None:
    """Bedrock's answer to a request that isn't of its protocol, or a text that is too long; None for a good one.

    Every byte counts as a token: no tokenizer makes more.
    """
    if not headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 Credential="):
        return Answer(status=403, code="MissingAuthenticationTokenException")
    if path != PATH:
        return Answer(status=404, code="ResourceNotFoundException")
    text, size = body.get("inputText"), body.get("dimensions")
    known = body.keys() == {"inputText", "dimensions", "normalize"} and size in _SIZES and body["normalize"] is True
    if not known or not isinstance(text, str) or not text.strip() or len(text) > _MAX_CHARACTERS:
        return REFUSED
    return REFUSED if len(text.encode()) > _MAX_TOKENS else None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, owner: TitanServer) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, *_: object) -> None:
        pass  # the client disconnected


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65_536
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        owner = self.server.owner
        answer = owner.take(self.path, headers, body)
        owner.begin()
        try:
            time.sleep(answer.pause_s)
            if answer.silent:
                self._wait_until_left()
            else:
                self._send(answer, body)
        except OSError:
            self.close_connection = True
        finally:
            owner.end()

    def _send(self, answer: Answer, body: dict[str, Any]) -> None:
        content = answer.body
        if content is None and answer.status == 200:
            content = json.dumps(right_body(body["inputText"], body["dimensions"])).encode()
        content = json.dumps({"message": f"quotes {body}"}).encode() if content is None else content
        self.send_response(answer.status)
        error = {"x-amzn-ErrorType": f"{answer.code}:http://internal.amazon.com/"} if answer.code else {}
        for name, value in {"Content-Type": "application/json", **error, **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if answer.cut else content)
        self.wfile.flush()
        if answer.cut:
            self._hang_up()

    def _wait_until_left(self) -> None:
        while not self.server.owner.closing.is_set():
            ready, _, _ = select.select([self.connection], [], [], 0.05)
            if ready and not self.connection.recv(1, socket.MSG_PEEK):
                break
        self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
