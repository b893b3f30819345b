"""Checks headers and query, reads request bodies within bounds before admission, and cancels requests on disconnect."""

import asyncio
import re
from collections.abc import Collection, Sequence
from typing import Final
from urllib.parse import parse_qsl

import anyio
from msgspec import Struct
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.http.context import context_of
from services.http.json_bodies import check_json
from services.http.problems import Problem

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
JSON: Final = "application/json"
#: Headers that a request may have once. Those that are lists may have several lines, which are joined.
_SINGLE: Final = ("content-type", "content-encoding", "idempotency-key")
_LISTS: Final = (b"accept", b"if-match", b"if-none-match")


class BodyBounds(Struct, frozen=True, kw_only=True):
    """Bounds of a request's body.

    Attributes:
        max_bytes: maximum size; a larger body is refused before it has been read.
        max_depth: maximum nesting.
        read_s: maximum time to receive it, in seconds.
        media_types: accepted; all are JSON.
    """

    max_bytes: int = 256 * 1024
    max_depth: int = 16
    read_s: float = 10.0
    media_types: Collection[str] = (JSON,)


DEFAULT_BODY: Final = BodyBounds()


class Bodies:
    """ASGI middleware that reads and checks the body, then watches for a disconnect."""

    def __init__(self, app: ASGIApp, *, bounds: BodyBounds) -> None:
        self._app = app
        self._bounds = bounds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or raise a `Problem`. A disconnect cancels it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        self._check_headers(headers)
        if _CONTROL.search(scope["path"]) or b"%00" in scope["query_string"]:
            raise Problem("bad-request", "The path or the query has a character that is not allowed.")
        names = [name for name, _ in parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)]
        if len(names) > len(set(names)) and scope["path"].startswith("/api/"):
            raise Problem("bad-request", "The query has a parameter twice; give each once.")
        scope["headers"] = _joined(scope["headers"])
        body = await self._read(receive)
        if body is None:
            return
        if body:
            self._check_type(headers)
            check_json(body, max_depth=self._bounds.max_depth)
        await _answer(self._app, scope, receive, send, body)

    def _check_headers(self, headers: Headers) -> None:
        for name in _SINGLE:
            if len(headers.getlist(name)) > 1:
                raise Problem("bad-request", f"The request has the header {name.title()} twice; send it once.")
        if "content-length" in headers and "transfer-encoding" in headers:  # a proxy may have read another body
            raise Problem("bad-request", "The request has Content-Length and Transfer-Encoding; send one of them.")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:20]) > self._bounds.max_bytes:
            raise self._too_large()

    async def _read(self, receive: Receive) -> bytes | None:
        """The body, or None if the client has gone."""
        body = bytearray()
        try:
            async with asyncio.timeout(self._bounds.read_s):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    body += message.get("body", b"")
                    if len(body) > self._bounds.max_bytes:
                        raise self._too_large()
                    if not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError:
            raise Problem("request-timeout", f"Send the body within {self._bounds.read_s:g} seconds.") from None

    def _check_type(self, headers: Headers) -> None:
        media_type, _, parameters = headers.get("content-type", "").lower().partition(";")
        charset = parameters.replace(" ", "").replace('"', "")
        accepted = media_type.strip() in self._bounds.media_types and charset in ("", "charset=utf-8")
        if not accepted or headers.get("content-encoding", "identity").lower() != "identity":
            names = " or ".join(self._bounds.media_types)
            raise Problem("unsupported-media-type", f"Send the body as {names}, in UTF-8 and not compressed.")

    def _too_large(self) -> Problem:
        return Problem("too-large", f"A body may have {self._bounds.max_bytes:,} bytes.")


def _joined(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Headers, the lines of a list as one (RFC 9110, section 5.3); routes see only the first line."""
    lists = {name: [text for other, text in headers if other == name] for name in _LISTS}
    others = [pair for pair in headers if pair[0] not in lists]
    return others + [(name, b", ".join(lines)) for name, lines in lists.items() if lines]


async def _answer(app: ASGIApp, scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
    """Run `app` with the body that was read. A disconnect before the response is complete cancels it."""
    stop = context_of(scope).stop
    gone, complete, given = asyncio.Event(), False, False
    failed: Exception | None = None

    async def read_again() -> Message:
        nonlocal given
        if not given:
            given = True
            return {"type": "http.request", "body": body, "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send_on(message: Message) -> None:
        nonlocal complete
        complete = message["type"] == "http.response.body" and not message.get("more_body", False)
        await send(message)

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        gone.set()
        if not complete:  # work after the response may finish
            stop.set()
            tasks.cancel_scope.cancel()

    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch)
            try:
                await app(scope, read_again, send_on)
            except Exception as error:  # noqa: BLE001 - raised below, without the task group's wrapping
                failed = error
            tasks.cancel_scope.cancel()
    finally:
        stop.set()
    if failed is not None:
        raise failed
