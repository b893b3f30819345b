"""The context of a request while it is being answered: id, trace, caller, and the event that cancels it."""

import re
import threading
import uuid
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Scope

from services.http.callers import Caller

#: Ids of clients and proxies that are safe to log and to return.
_SANE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_KEY: Final = "ticketstream.context"


class RequestContext:
    """One request.

    Attributes:
        request_id: the client's or a proxy's if it is sane, else a new one.
        trace_id: W3C trace id, 32 hexadecimal digits.
        caller: None until the request is authenticated.
        stop: set when the client has disconnected or the response has ended.
    """

    def __init__(self, headers: Headers) -> None:
        given = headers.getlist("x-request-id")
        sane = len(given) == 1 and _SANE_ID.fullmatch(given[0])
        self.request_id = given[0] if sane else uuid.uuid4().hex
        self.trace_id = ""
        self.caller: Caller | None = None
        self.stop = threading.Event()


def begin(scope: Scope) -> RequestContext:
    """The context of a request that has just arrived."""
    context = RequestContext(Headers(scope=scope))
    scope.setdefault("state", {})[_KEY] = context
    return context


def context_of(scope: Scope) -> RequestContext:
    """The context of the request of `scope`."""
    found = scope["state"][_KEY]
    assert isinstance(found, RequestContext)  # noqa: S101 - `begin` put it there
    return found


def stop_of(request: Request) -> threading.Event:
    """A dependency: the event that is set when the answer is no longer wanted."""
    return context_of(request.scope).stop
