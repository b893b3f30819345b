"""Names that must never change between runs: point ids."""

from hashlib import sha1
from typing import Final
from uuid import UUID

#: Fixed for ever: another namespace would make every replay a duplicate.
_NAMESPACE: Final = UUID("6f1f7a52-3b0e-5a0c-9d0e-7c1f0b6f4b11").bytes


def point_id(tenant_id: str, ticket_id: str, chunk: int) -> str:
    """UUIDv5 (RFC 9562) of tenant, ticket and chunk: the same point on every replay.

    The unit separator can't occur in either id (`core.contract`), so no two triples share a name. Spelt out, as
    several are made for every ticket and `uuid.uuid5` takes four times as long.
    """
    name = f"{tenant_id}\x1f{ticket_id}\x1f{chunk}".encode()
    octets = bytearray(sha1(_NAMESPACE + name, usedforsecurity=False).digest()[:16])
    octets[6] = octets[6] & 0x0F | 0x50  # version 5
    octets[8] = octets[8] & 0x3F | 0x80  # variant of the RFC
    digits = octets.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
