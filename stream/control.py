"""The control API of a worker, on loopback.

Other processes of the same user query the embedded index through it while the worker has the index open. Every request
carries the token that the worker wrote into a file beside the index. Only the worker's user can read that file, so no
other user of the host can query the index.
"""

import hmac
import logging
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Final, TypeVar
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import msgspec

from connectors.qdrant.backup import Backup
from core.errors import ConfigError, NoTicketError, TicketstreamError, TransientError
from runtime.control import (
    MAX_BODY,
    BackupRequest,
    SearchRequest,
    SimilarRequest,
    ThreadsAnswer,
    ThreadsRequest,
    WorkerStatus,
)
from runtime.http import respond
from search.result import Answer

logger: Final = logging.getLogger("ticketstream.control")

_MAX_DIGITS: Final = 9
_NAMES: Final[dict[type, str]] = {
    SearchRequest: "search request",
    SimilarRequest: "search request",
    ThreadsRequest: "request for threads",
    BackupRequest: "backup request",
}

T = TypeVar("T", SearchRequest, SimilarRequest, ThreadsRequest, BackupRequest)


def control_app(
    *,
    token: str,
    search: Callable[[SearchRequest], Answer],
    similar: Callable[[SimilarRequest], Answer],
    threads: Callable[[ThreadsRequest], ThreadsAnswer],
    status: Callable[[], WorkerStatus],
    back_up: Callable[[Path], Backup],
) -> WSGIApplication:
    """POST /search, /similar, /threads and /backup, and GET /status, for holders of `token`."""
    posts: dict[str, WSGIApplication] = {
        "/search": partial(_post, expected=SearchRequest, act=search),
        "/similar": partial(_post, expected=SimilarRequest, act=similar),
        "/threads": partial(_post, expected=ThreadsRequest, act=threads),
        "/backup": partial(_post, expected=BackupRequest, act=lambda asked: back_up(Path(asked.folder))),
    }

    def app(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        given = environ.get("HTTP_AUTHORIZATION", "").encode()
        if not hmac.compare_digest(given, f"Bearer {token}".encode()):
            return _refuse(
                start, "401 Unauthorized", "the token is missing or wrong; it is in worker.json in the index"
            )
        route = (environ.get("REQUEST_METHOD"), environ.get("PATH_INFO"))
        if route == ("GET", "/status"):
            return _answer(start, status)
        if route[0] == "POST" and route[1] in posts:
            return posts[route[1]](environ, start)
        return _refuse(
            start, "404 Not Found", "not found; the requests are GET /status, POST /search, /similar, /threads, /backup"
        )

    return app


def _post(environ: WSGIEnvironment, start: StartResponse, expected: type[T], act: Callable[[T], object]) -> list[bytes]:
    """Act on a request with a body, and send the result."""
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or len(length) > _MAX_DIGITS or int(length) > MAX_BODY:
        return _refuse(start, "413 Content Too Large", "the body is too large")
    try:
        request = msgspec.json.decode(environ["wsgi.input"].read(int(length)), type=expected)
    except ConfigError as error:
        return _refuse(start, "400 Bad Request", str(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _refuse(start, "400 Bad Request", f"the body is not a {_NAMES[expected]}")
    return _answer(start, lambda: act(request))


def _answer(start: StartResponse, ask: Callable[[], object]) -> list[bytes]:
    """Send the result of `ask`.

    400 is for a question out of bounds, 410 for a ticket that isn't there, 503 for an outage, 500 for any other error.
    """
    try:
        body = msgspec.json.encode(ask())
    except NoTicketError as error:
        return _refuse(start, "410 Gone", str(error))
    except ConfigError as error:
        return _refuse(start, "400 Bad Request", str(error))
    except TransientError as error:
        return _refuse(start, "503 Service Unavailable", str(error))
    except Exception as error:  # noqa: BLE001 - otherwise the server would print a traceback and send no reason
        # the message of an unexpected error may quote a ticket
        reason = str(error) if isinstance(error, TicketstreamError) else f"{type(error).__name__} in the worker"
        logger.error("a request to the control port failed: %s", reason)  # noqa: TRY400 - a traceback may quote one, too
        return _refuse(start, "500 Internal Server Error", reason)
    return respond(start, "200 OK", body)


def _refuse(start: StartResponse, status: str, reason: str) -> list[bytes]:
    return respond(start, status, msgspec.json.encode({"error": reason}))
