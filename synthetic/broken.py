"""Generates invalid records, modelled on mistakes of real producers."""

from collections.abc import Callable
from random import Random
from typing import Final

import msgspec

from core.contract import record_key
from core.records import Headers

Event = dict[str, object]

_TENANT: Final = "acme"


def broken_record(rng: Random, number: int) -> tuple[bytes, bytes | None, Headers]:
    """Key, value and headers of a random invalid record; `number` makes its ticket id."""
    ticket_id = f"B-{number + 1}"
    key = record_key(_TENANT, ticket_id)
    event: Event = {
        "op": "upsert",
        "tenant_id": _TENANT,
        "ticket_id": ticket_id,
        "version": 1,
        "created_at": 1_767_225_600_000,
        "updated_at": 1_767_225_600_000,
        "subject": "Can't be used",
    }
    value = rng.choice(_BREAKAGES)(event)
    if value is not None:
        return key, value, ()
    if rng.random() < 0.5:
        return b"no slash here", None, ()
    return key, None, (("version", b"newest"),)


def _encode(event: Event, **changes: object) -> bytes:
    """JSON of `event` with other fields; UNSET drops one."""
    return msgspec.json.encode({name: v for name, v in {**event, **changes}.items() if v is not msgspec.UNSET})


_BREAKAGES: Final[tuple[Callable[[Event], bytes | None], ...]] = (
    lambda event: _encode(event)[:-9],  # cut short
    lambda event: _encode(event).replace(b"used", b"\xff\xfe"),  # not UTF-8
    lambda _event: b"",
    lambda _event: b"[]",
    lambda _event: b"not json",
    lambda event: _encode(event, version=msgspec.UNSET),
    lambda event: _encode(event, version="seven"),
    lambda event: _encode(event, version=-1),
    lambda event: _encode(event, version=2**63),
    lambda event: _encode(event, op="merge"),
    lambda event: _encode(event, ticket_id="somebody-else"),  # not the one in the key
    lambda event: _encode(event, tenant_id="a/b"),
    lambda event: _encode(event, updated_at=msgspec.UNSET),
    lambda event: _encode(event, updated_at="yesterday"),
    lambda event: _encode(event, updated_at=1_767_225_600),  # seconds
    lambda _event: b"\0\0\0\0\5\x08acme",  # Avro behind a schema id
    lambda event: msgspec.json.encode({"before": None, "after": {"id": event["ticket_id"]}, "op": "c"}),  # Debezium
    lambda event: _encode(event, schema_version=2),
    lambda event: _encode(event, tags=["tag"] * 101),
    lambda event: _encode(event, messages=[{"author": "agent", "body": "", "created_at": 0}] * 1001),
    lambda event: _encode(event, subject={"text": "nested"}),
    lambda event: _encode(event, messages=[{"author": "robot", "body": "hi", "created_at": 0}]),
    lambda event: _encode(event)[:-1] + b',"x":' + b"[" * 40 + b"]" * 40 + b"}",
    lambda event: _encode(event, body="long " * 60_000),  # 300 kB, above a limit of 200,000 bytes
    lambda _event: None,
)
