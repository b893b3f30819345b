"""Deterministic ids of points."""

from hashlib import sha1
from typing import Final
from uuid import UUID

#: Never change it: a replay would write new points beside the old ones instead of overwriting them.
_NAMESPACE: Final = UUID("6f1f7a52-3b0e-5a0c-9d0e-7c1f0b6f4b11").bytes
_VARIANTS: Final = {f"{digit:x}": f"{digit & 0x3 | 0x8:x}" for digit in range(16)}


def point_id(tenant_id: str, ticket_id: str, chunk: int) -> str:
    """UUIDv5 (RFC 9562) of tenant, ticket and chunk: the same point on every replay.

    The unit separator can't occur in either id (`core.contract`), so no two triples share a name. Implemented by hand
    because it runs several times per ticket: `uuid.uuid5` takes four times as long.
    """
    name = f"{tenant_id}\x1f{ticket_id}\x1f{chunk}".encode()
    digits = sha1(_NAMESPACE + name, usedforsecurity=False).hexdigest()
    # 5 is the version, and the two bits of the RFC's variant replace the first ones of their digit
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{_VARIANTS[digits[16]]}{digits[17:20]}-{digits[20:32]}"
