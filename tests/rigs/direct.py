"""Calls an ASGI app in this process without a server or a client, fast enough for many thousands of requests."""

import asyncio
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, Self
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from starlette.types import ASGIApp

from tests.rigs.waiting import PATIENCE_S

_CLIENT: Final = ("127.0.0.1", 50_000)


class Reply(Struct, frozen=True):
    """A complete response."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @property
    def text(self) -> str:
        """Headers and body as one text."""
        return f"{self.headers!r} {self.body.decode()}"

    def json(self) -> Any:
        """The body's JSON."""
        return msgspec.json.decode(self.body)


class Direct:
    """One request at a time, on an event loop of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._runner.close()

    def request(self, method: str, path: str, *, headers: Mapping[str, str], body: object = None) -> Reply:
        """The response to a request; `body` is sent as JSON."""
        content = b"" if body is None else msgspec.json.encode(body)
        given = {**headers, "host": "service.test"} | ({"content-type": "application/json"} if content else {})
        given["content-length"] = str(len(content))
        split = urlsplit(path)
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": split.path,
            "raw_path": split.path.encode(),
            "query_string": split.query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
            "client": _CLIENT,
            "server": ("service.test", 80),
            "state": {},
        }
        return self._runner.run(asyncio.wait_for(_answer(self._app, scope, content), PATIENCE_S))


async def _answer(app: ASGIApp, scope: dict[str, Any], content: bytes) -> Reply:
    status, headers, pieces = 0, (), list[bytes]()
    left = asyncio.Event()
    unread = [content]

    async def receive() -> dict[str, Any]:
        if unread:
            return {"type": "http.request", "body": unread.pop(), "more_body": False}
        await left.wait()  # the client stays connected until it has the response
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], tuple(message["headers"])
        elif message["type"] == "http.response.body":
            pieces.append(message.get("body", b""))
            if not message.get("more_body", False):
                left.set()

    await app(scope, receive, send)
    return Reply(status, headers, b"".join(pieces))
