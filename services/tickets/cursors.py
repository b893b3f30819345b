"""Cursors of lists: a position as text. It names no tenant, so a forged one only moves within the caller's own list."""

import base64
import binascii
from typing import Final

import msgspec

from core.ticket_store import Cursor
from services.http.problems import Problem, invalid

_PARTS: Final = msgspec.json.Decoder(tuple[int, str])
_MAX_LENGTH: Final = 1_024
_MAX_MS: Final = 10**15 - 1


def write_cursor(place: Cursor | None) -> str | None:
    """A position as text, safe in a URL."""
    if place is None:
        return None
    return base64.urlsafe_b64encode(msgspec.json.encode((place.created_ms, place.ticket_id))).decode().rstrip("=")


def read_cursor(text: str | None) -> Cursor | None:
    """The position of a cursor.

    Raises:
        Problem: it is malformed.
    """
    if text is None:
        return None
    try:
        if len(text) > _MAX_LENGTH or not text.isascii():
            raise _malformed()
        created_ms, ticket_id = _PARTS.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError):  # msgspec's errors are ValueErrors
        raise _malformed() from None
    if not 0 <= created_ms <= _MAX_MS or "\x00" in ticket_id:
        raise _malformed()
    return Cursor(created_ms, ticket_id)


def _malformed() -> Problem:
    return invalid("cursor", "Use the value of `next` from the previous page.")
