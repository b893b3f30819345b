"""Records made by hand for trials."""

from typing import Any, Final

import msgspec

from core.contract import record_key
from synthetic.tickets import Kind, SyntheticRecord

#: Creation time of the tickets.
START_MS: Final = 1_767_225_600_000

#: The tenants of the synthetic tickets.
TENANTS: Final = ("acme", "borealis", "cobalt")


def record(key: bytes, value: bytes | None, kind: Kind = "create") -> SyntheticRecord:
    """A record of these bytes."""
    return SyntheticRecord(key, value, kind)


def ticket(ticket_id: str, version: int, *, tenant: str = "acme", body: str = "cannot sign in") -> SyntheticRecord:
    """An upsert, with the version in its subject."""
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
    """A delete."""
    event = {"op": "delete", "tenant_id": "acme", "ticket_id": ticket_id, "version": version, "updated_at": START_MS}
    return record(record_key("acme", ticket_id), msgspec.json.encode(event), "delete")
