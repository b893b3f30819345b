"""Reads ticket events from a file, line by line: JSONL unchanged, and CSV through a mapping of its columns."""

import re
import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import BinaryIO, Final

import msgspec
from msgspec import Struct

from connectors.files.lines import json_lines, uncapitalised
from connectors.files.mapping import ATTRIBUTE, CsvMapping, RowReader
from connectors.files.table import read_table
from connectors.files.times import TimeReader
from connectors.kafka.producer import Outgoing
from core.contract import TenantId, TicketId, UpsertEvent, record_key
from core.errors import ConfigError
from core.json_escapes import HALF_IN_ID, replace_half_surrogates

_TIMES: Final = frozenset({"created_at", "updated_at"})
_TAG_SEPARATORS: Final = re.compile(r"[,;|]")
_MAX_VERSION_DIGITS: Final = 19


class _Ids(Struct):
    tenant_id: TenantId
    ticket_id: TicketId


def read_jsonl(source: BinaryIO, *, topic: str, name: str) -> Iterator[Outgoing]:
    """Yield a record per line: its value is the line unchanged, and its key is built from the ids in it.

    Blank lines are skipped. Only the ids are validated here; the worker validates the rest. UTF-16 becomes UTF-8.

    Raises:
        ConfigError: a line is not a JSON object with tenant_id and ticket_id; the message gives file and line.
    """
    for number, line, ids in json_lines(source, name, msgspec.json.Decoder(_Ids)):
        if "\ufffd" in ids.ticket_id and replace_half_surrogates(line) is not None:
            raise ConfigError(f"{name}:{number}: {HALF_IN_ID}")
        yield Outgoing(topic, record_key(ids.tenant_id, ids.ticket_id), line)


def read_csv(
    source: BinaryIO,
    mapping: CsvMapping,
    *,
    topic: str,
    name: str,
    times: TimeReader | None = None,
    now_ms: int | None = None,
) -> Iterator[Outgoing]:
    """Yield an upsert per row. The first line names the columns; commas, semicolons, tabs or pipes separate them.

    A column that is named like a field maps to it unless the mapping says otherwise. An empty cell leaves its field
    out. Fields that nothing maps to have defaults: ticket_id is derived from the row's number and content, so reading
    a file twice is idempotent; version is 1; the times are `now_ms`, by default the clock's. Tags are separated by
    commas, semicolons or pipes. `times` reads the times, by default in UTC if they name no zone; a version is a whole
    number or such a time.

    Raises:
        ConfigError: the file has no header, a mapped column is missing, or tenant_id or the text is not mapped, all
            raised by the call; or a row is malformed, raised when the row is read.
    """
    header, rows = read_table(source, name)
    reader = RowReader(mapping, header, name)
    now = int(time.time() * 1000) if now_ms is None else now_ms
    make = partial(_event, now_ms=now, topic=topic, times=times or TimeReader())
    return (make(reader.read(row, n), f"{name}:{line}") for n, (line, row) in enumerate(rows, start=1))


def _event(given: Mapping[str, str], where: str, *, now_ms: int, topic: str, times: TimeReader) -> Outgoing:
    event: dict[str, object] = {"version": 1, "created_at": now_ms, "updated_at": now_ms}
    attributes: dict[str, str] = {}
    for field, value in given.items():
        if not value:
            continue
        if field.startswith(ATTRIBUTE):
            attributes[field.removeprefix(ATTRIBUTE)] = value
        else:
            try:
                event[field] = _value(field, value, times)
            except ValueError as error:
                raise ConfigError(f"{where}: {field} is {value[:40]!r}, {error}") from None
    if attributes:
        event["attributes"] = attributes
    try:
        checked = msgspec.convert({"op": "upsert", **event}, UpsertEvent)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {uncapitalised(error)}") from None
    key = record_key(checked.tenant_id, checked.ticket_id)
    return Outgoing(topic, key, msgspec.json.encode({"op": "upsert", **event}))


def _value(field: str, text: str, times: TimeReader) -> int | str | tuple[str, ...]:
    """The event's value for a cell.

    Raises:
        ValueError: the cell is not a time or a version; the message says what to do.
    """
    if field in _TIMES:
        return times.read(text)
    if field == "version":
        return int(text) if text.isdecimal() and len(text) <= _MAX_VERSION_DIGITS else times.read(text)
    return _tags(text) if field == "tags" else text


def _tags(value: str) -> tuple[str, ...]:
    return tuple(tag.strip() for tag in _TAG_SEPARATORS.split(value) if tag.strip())
