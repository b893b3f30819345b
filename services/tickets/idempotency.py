"""Idempotency keys: a request that is repeated with its key has one effect, and gets the same response for 24 hours."""

import hashlib
import re
from typing import Final

import msgspec
from msgspec import Struct
from pydantic import BaseModel

from core.ticket_store import RequestKey
from services.http.callers import Caller
from services.http.problems import FieldError, Problem, invalid

HEADER: Final = "Idempotency-Key"
TTL_MS: Final = 24 * 60 * 60 * 1_000

_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


class KeyedRequest(Struct, frozen=True):
    """A request with an idempotency key. `hash` identifies repetitions of it."""

    key: RequestKey
    hash: str


def keyed_request(caller: Caller, key: str | None, *, what: str, body: BaseModel | None) -> KeyedRequest | None:
    """The request's key, or None if it has none.

    Args:
        caller: whose key it is.
        key: the header.
        what: method and path.
        body: the parsed body, so that spaces and the order of fields don't count.

    Raises:
        Problem: the key is malformed.
    """
    if key is None:
        return None
    if _KEY.fullmatch(key) is None:
        raise Problem(
            "bad-request",
            f"The header {HEADER} is malformed.",
            errors=[FieldError(HEADER, "Write 1 to 255 visible ASCII characters, such as a UUID.")],
        )
    fields = None if body is None else body.model_dump(exclude_unset=True)
    digest = hashlib.sha256(msgspec.json.encode([what, fields], order="sorted")).hexdigest()
    return KeyedRequest(RequestKey(caller.tenant_id, caller.user_id, key), digest)


def reused() -> Problem:
    """The problem of a key that belongs to another request."""
    return invalid(HEADER, "The key was used for another request; choose a new one.")
