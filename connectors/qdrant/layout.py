"""How a ticket lies in the index: its fields, which of them are indexed, and what a tombstone is."""

from typing import Final, Literal

from core.identity import point_id
from core.records import Payload, Point

#: The one named vector of a point; a tombstone has none, so no search finds it.
VECTOR: Final = "text"

#: Payload fields that filters read, and their kind.
INDEXED: Final[dict[str, Literal["tenant", "keyword", "integer"]]] = {
    "tenant_id": "tenant",
    "head": "keyword",
    "status": "keyword",
    "category": "keyword",
    "language": "keyword",
    "channel": "keyword",
    "model": "keyword",
    "updated_at": "integer",
    "version": "integer",
    "chunk": "integer",
    "state": "keyword",
    "visibility": "keyword",
}

#: What of a head says what its ticket is.
HEAD_FIELDS: Final = ("tenant_id", "ticket_id", "version", "chunks", "state")

#: Values of `visibility`.
PUBLIC: Final = "public"
INTERNAL: Final = "internal"

#: Values of `state`. Words, because the embedded engine matches no booleans.
LIVE: Final = "live"
DELETED: Final = "deleted"


def tombstone(tenant_id: str, ticket_id: str, chunk: int, version: int) -> Point:
    """A point that says: nothing is here since `version`. It keeps no text."""
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
