"""The index's schema: payload fields, which of them are indexed, and tombstones."""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from core.errors import FatalError
from core.identity import point_id
from core.index import Facts
from core.payload import Payload
from core.records import Point

#: The name of a point's vector. A tombstone has no vector, so no search finds it.
VECTOR: Final = "text"

#: The name of a point's terms: a sparse vector whose values the engine multiplies by the terms' rarity.
TERMS: Final = "words"

#: The index of each payload field that filters read.
INDEXED: Final[dict[str, Literal["tenant", "keyword", "integer"]]] = {
    "tenant_id": "tenant",
    "head": "keyword",
    "status": "keyword",
    "category": "keyword",
    "language": "keyword",
    "channel": "keyword",
    "customer_id": "keyword",
    "priority": "keyword",
    "role": "keyword",
    "solved": "keyword",
    "model": "keyword",
    "created_at": "integer",
    "updated_at": "integer",
    "solved_at": "integer",
    "version": "integer",
    "chunk": "integer",
    "state": "keyword",
    "visibility": "keyword",
}

#: Payload fields of a head that describe its ticket.
HEAD_FIELDS: Final = ("tenant_id", "ticket_id", "version", "chunks", "state")

#: Payload fields of a head that a search reads: they tell which passages of its ticket are current.
STATE_FIELDS: Final = ("version", "state")

#: Payload fields with a ticket's labels. A label that the worker chose has a confidence.
LABEL_FIELDS: Final = ("category", "category_confidence", "priority", "priority_confidence")

#: Values of `visibility`.
PUBLIC: Final = "public"
INTERNAL: Final = "internal"

#: The value of `solved` in the points of a solved ticket; the others have none.
SOLVED: Final = "yes"

#: Values of `state`: strings, because the embedded engine can't filter by booleans.
LIVE: Final = "live"
DELETED: Final = "deleted"

#: The types of facts.
_FACTS: Final[Mapping[str, type]] = {**dict.fromkeys(Facts.__struct_fields__, str), "updated_at": int}

_FOREIGN: Final = "the index contains a point that is not a ticket's; give tickets an index of their own"


class Row(Facts, frozen=True, kw_only=True, gc=False):
    """The payload fields that versions depend on, and its facts. A field that wasn't asked for has its default."""

    tenant_id: str
    ticket_id: str
    version: int
    chunk: int = 0
    chunks: int = 0
    state: str = LIVE
    head: str = ""
    text: str = ""


def row_of(payload: Mapping[str, object]) -> Row:
    """The fields of a stored point. A fact of another type than ours is left out.

    Raises:
        FatalError: the point was not written by this program.
    """
    try:
        return msgspec.convert(payload, Row)
    except msgspec.ValidationError:
        pass
    kept = {name: value for name, value in payload.items() if type(value) is _FACTS.get(name, type(value))}
    try:
        return msgspec.convert(kept, Row)
    except msgspec.ValidationError:
        raise foreign() from None


def foreign() -> FatalError:
    """The error of a point that this program didn't write."""
    return FatalError(_FOREIGN)


def head_of(one: Row) -> str:
    """The id of the ticket's head."""
    return one.head or point_id(one.tenant_id, one.ticket_id, 0)


def version_of(payload: Mapping[str, object]) -> int:
    """The version of a stored point.

    Raises:
        FatalError: as `row_of`.
    """
    version = payload.get("version")
    if not isinstance(version, int):
        raise foreign()
    return version


def given_label(payload: Mapping[str, object], kind: str) -> str | None:
    """The category or priority that the ticket's producer gave; None if it gave none."""
    found = payload.get(kind)
    return found if isinstance(found, str) and f"{kind}_confidence" not in payload else None


def tombstone(tenant_id: str, ticket_id: str, chunk: int, version: int) -> Point:
    """The mark of a chunk that was deleted at `version`. It holds no text."""
    payload: Payload = {
        "tenant_id": tenant_id,
        "ticket_id": ticket_id,
        "head": point_id(tenant_id, ticket_id, 0),
        "version": version,
        "chunk": chunk,
        "chunks": 0,
        "state": DELETED,
    }
    return Point(point_id(tenant_id, ticket_id, chunk), None, payload)
