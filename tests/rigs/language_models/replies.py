"""Requests and replies of the fake server, and its faults."""

from typing import Any, Literal

from msgspec import Struct

Fault = Literal[
    "throttled",
    "unavailable",
    "denied",
    "no_model",
    "bad_request",
    "redirect",  # to another server
    "hang_up",  # the connection is closed in place of a reply
    "not_http",
    "silent",  # no reply, while the connection stays open
    "compressed",
    "stall",  # half of the answer, and then silence
    "drip",  # a byte now and then, for ever
    "cut",  # the connection ends in the middle
    "half_frame",  # the answer ends properly, in the middle of a piece
    "no_end",  # the answer ends properly, without its last events
    "error_midway",
    "garbage",
    "bad_checksum",
    "endless",
    "long_line",
]


class Reply(Struct, frozen=True, kw_only=True):
    """A reply of the server. A fault of the body comes after half of the text."""

    text: str = "Reset the token. Then sign in again."
    tokens: tuple[int, int] = (30, 9)
    fault: Fault | None = None
    retry_after: str | None = None
    pause_s: float = 0.0


class Request(Struct, frozen=True):
    """A request that the server received."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    at: float
