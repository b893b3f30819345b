"""Names that must never change between runs: point ids."""

from typing import Final
from uuid import UUID, uuid5

#: Fixed for ever: another namespace would make every replay a duplicate.
_NAMESPACE: Final = UUID("6f1f7a52-3b0e-5a0c-9d0e-7c1f0b6f4b11")


def point_id(tenant_id: str, ticket_id: str, chunk: int) -> str:
    """UUIDv5 (RFC 9562) of tenant, ticket and chunk: the same point on every replay.

    The unit separator can't occur in either id (`core.contract`), so no two triples share a name.
    """
    return str(uuid5(_NAMESPACE, f"{tenant_id}\x1f{ticket_id}\x1f{chunk}"))
