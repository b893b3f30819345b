"""What the index must hold after a log: a second, plain reading of the contract that shares no code with `operators`.

It decodes with the standard library and knows the default settings but for a limit of 200,000 bytes a record.
"""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from core.records import Record

MAX_RECORD_BYTES = 200_000
_FINAL = 2**53 - 1
_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TICKET = re.compile(r"[^\x00-\x1f\x7f]{1,128}")


class Expected(Struct, frozen=True):
    """A ticket after the fold: `record` is the one that won."""

    version: int
    deleted: bool
    record: Record


def fold(log: Iterable[Record]) -> dict[tuple[str, str], Expected]:
    """The highest version of each ticket; of equal ones the first."""
    held: dict[tuple[str, str], Expected] = {}
    for record in log:
        read = read_event(record)
        if read is None:
            continue
        tenant_id, ticket_id, version, deleted = read
        known = held.get((tenant_id, ticket_id))
        if known is None or known.version < version:
            held[tenant_id, ticket_id] = Expected(version, deleted, record)
    return held


def winners(log: Iterable[Record]) -> list[Record]:
    """The records the fold is made of."""
    return [expected.record for expected in fold(log).values()]


def broken(log: Sequence[Record]) -> list[Record]:
    """The records that belong in the dead-letter topic."""
    return [record for record in log if read_event(record) is None]


def read_event(record: Record) -> tuple[str, str, int, bool] | None:
    """Tenant, ticket, version and whether it is a delete; None for a record that can't be used."""
    try:
        if record.value is None:
            return _null(record)
        if len(record.value) > MAX_RECORD_BYTES or _depth(record.value) > 16:
            return None
        event = json.loads(record.value.decode())
        return _event(event) if record.key == f"{event['tenant_id']}/{event['ticket_id']}".encode() else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _null(record: Record) -> tuple[str, str, int, bool] | None:
    tenant_id, slash, ticket_id = (record.key or b"").decode().partition("/")
    if not (slash and _TENANT.fullmatch(tenant_id) and _TICKET.fullmatch(ticket_id)):
        return None
    version = dict(record.headers).get("version")
    if version is None:
        return tenant_id, ticket_id, _FINAL, True
    return (tenant_id, ticket_id, int(version), True) if re.fullmatch(rb"[0-9]+", version) else None


def _event(event: dict[str, Any]) -> tuple[str, str, int, bool] | None:
    tenant_id, ticket_id, version = event["tenant_id"], event["ticket_id"], event["version"]
    sound = (
        event.get("schema_version", 1) == 1
        and isinstance(version, int)
        and 0 <= version <= _FINAL - 1
        and _TENANT.fullmatch(tenant_id)
        and _TICKET.fullmatch(ticket_id)
    )
    if not sound:
        return None
    if event["op"] == "delete":
        return tenant_id, ticket_id, version, True
    if event["op"] != "upsert" or not all(_time(event[name]) for name in ("created_at", "updated_at")):
        return None
    texts = all(isinstance(event.get(name, ""), str) for name in ("subject", "body", "status", "channel"))
    messages = event.get("messages", [])
    authors = all(m["author"] in {"customer", "agent", "system"} and isinstance(m["body"], str) for m in messages)
    sized = len(event.get("tags", [])) <= 100 and len(messages) <= 1000
    return (tenant_id, ticket_id, version, False) if texts and authors and sized else None


def _time(value: Any) -> bool:
    if isinstance(value, str):
        return datetime.fromisoformat(value).tzinfo is not None
    return isinstance(value, int) and value >= 0


def _depth(value: bytes) -> int:
    depth = deepest = 0
    for byte in re.sub(rb'"(\\.|[^"\\])*"', b"", value):
        depth += (byte in b"[{") - (byte in b"]}")
        deepest = max(deepest, depth)
    return deepest
