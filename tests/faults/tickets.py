"""Records of a trial's own making."""

from typing import Any, Final

import msgspec

from core.contract import record_key
from synthetic.tickets import Kind, SyntheticRecord

#: When the tickets were made.
START_MS: Final = 1_767_225_600_000

#: Of the synthetic tickets.
TENANTS: Final = ("acme", "borealis", "cobalt")


def record(key: bytes, value: bytes | None, kind: Kind = "create") -> SyntheticRecord:
    """A record of our own."""
    return SyntheticRecord(key, value, kind)


def ticket(ticket_id: str, version: int, *, tenant: str = "acme", body: str = "cannot sign in") -> SyntheticRecord:
    """An upsert of this version; its text names it."""
    event: dict[str, Any] = {
        "op": "upsert",
        "tenant_id": tenant,
        "ticket_id": ticket_id,
        "version": version,
        "subject": f"Version {version}",
        "body": body,
        "created_at": START_MS,
        "updated_at": START_MS + version,
    }
    return record(record_key(tenant, ticket_id), msgspec.json.encode(event), "edit")


def deleted(ticket_id: str, version: int) -> SyntheticRecord:
    """A delete of this version."""
    event = {"op": "delete", "tenant_id": "acme", "ticket_id": ticket_id, "version": version, "updated_at": START_MS}
    return record(record_key("acme", ticket_id), msgspec.json.encode(event), "delete")
