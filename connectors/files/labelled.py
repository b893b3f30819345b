"""Reads labelled tickets to train on: ticket events or labelled examples in JSONL, or a CSV through a mapping."""

from collections.abc import Iterator
from typing import BinaryIO, Final

import msgspec
from msgspec import Struct

from connectors.files.events import read_csv
from connectors.files.lines import json_lines
from connectors.files.mapping import CsvMapping
from core.contract import record_key
from core.errors import ConfigError
from core.records import Origin, Record

#: Placeholder tenant and time of tickets whose file has none; training ignores both.
_TENANT: Final = "training"
_TIME_MS: Final = 1_700_000_000_000


class _Line(Struct):
    tenant_id: str = ""
    ticket_id: str = ""
    text: str | None = None
    category: str | None = None
    priority: str | None = None


def read_labelled_jsonl(source: BinaryIO, *, name: str, id_prefix: str = "") -> Iterator[Record]:
    """Yield a record of a ticket event per line; its offset is the line's number.

    A line is an event, or an example {text, category?, priority?}, which becomes the body of one. Its ticket id is the
    line's number after `id_prefix`, which tells the examples of several files apart.

    Raises:
        ConfigError: a line is neither; the message gives file and line.
    """
    for number, line, found in json_lines(source, name, msgspec.json.Decoder(_Line)):
        origin = Origin(name, 0, number)
        if found.tenant_id and found.ticket_id:
            yield Record(origin, record_key(found.tenant_id, found.ticket_id), line, _TIME_MS)
        elif found.text is not None and found.text.strip():
            ticket_id = f"{id_prefix}{number}"
            yield Record(origin, record_key(_TENANT, ticket_id), _event(found, ticket_id), _TIME_MS)
        else:
            raise ConfigError(
                f"{name}:{number}: neither a ticket event (tenant_id, ticket_id, ...) nor an example (text, category?, "
                "priority?)"
            )


def read_labelled_csv(source: BinaryIO, mapping: CsvMapping, *, name: str) -> Iterator[Record]:
    """Yield a record of a ticket event per row, as `produce` reads it; its offset is the row's number.

    The tenant may be left out.

    Raises:
        ConfigError: as `connectors.files.events.read_csv`.
    """
    if "tenant_id" not in mapping.columns:
        mapping = CsvMapping(mapping.columns, {"tenant_id": _TENANT, **mapping.constants}, mapping.option)
    rows = read_csv(source, mapping, topic=name, name=name)
    return (Record(Origin(name, 0, n), row.key, row.value, _TIME_MS) for n, row in enumerate(rows, start=1))


def _event(example: _Line, ticket_id: str) -> bytes:
    event = {
        "op": "upsert",
        "tenant_id": _TENANT,
        "ticket_id": ticket_id,
        "version": 1,
        "created_at": _TIME_MS,
        "updated_at": _TIME_MS,
        "body": example.text,
        "category": example.category,
        "priority": example.priority,
    }
    return msgspec.json.encode(event)
