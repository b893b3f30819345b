"""The worker's loopback port: while it owns the embedded index, other processes of the same user ask it.

Every request carries the token that the worker wrote beside the index, in a file only its user can read: whoever
may open the index may ask, and nobody else on the host.
"""

import hmac
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from core.errors import TransientError
from core.records import SearchHit
from runtime.control import SearchRequest, WorkerStatus
from runtime.http import App, StartResponse, respond

_MAX_BODY: Final = 1_000_000


def control_app(
    *,
    token: str,
    search: Callable[[SearchRequest], list[SearchHit]],
    status: Callable[[], WorkerStatus],
) -> App:
    """POST /search and GET /status, for holders of `token`."""

    def app(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        given = environ.get("HTTP_AUTHORIZATION", "").encode()
        if not hmac.compare_digest(given, f"Bearer {token}".encode()):
            return respond(start, "401 Unauthorized", b'{"error":"the token is in worker.json beside the index"}')
        route = (environ.get("REQUEST_METHOD"), environ.get("PATH_INFO"))
        if route == ("GET", "/status"):
            return respond(start, "200 OK", msgspec.json.encode(status()))
        if route == ("POST", "/search"):
            return _search(environ, start, search)
        return respond(start, "404 Not Found", b'{"error":"there is GET /status and POST /search"}')

    return app


def _search(
    environ: dict[str, Any], start: StartResponse, search: Callable[[SearchRequest], list[SearchHit]]
) -> list[bytes]:
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > _MAX_BODY:
        return respond(start, "413 Content Too Large", b'{"error":"the body is too large"}')
    try:
        request = msgspec.json.decode(environ["wsgi.input"].read(int(length)), type=SearchRequest)
    except msgspec.DecodeError:
        return respond(start, "400 Bad Request", b'{"error":"the body is not a search request"}')
    try:
        return respond(start, "200 OK", msgspec.json.encode(search(request)))
    except TransientError as error:
        return respond(start, "503 Service Unavailable", msgspec.json.encode({"error": str(error)}))
