"""Reads ticket events from a file, line by line: JSONL unchanged, and CSV through a mapping of its columns."""

import re
import time
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

import msgspec
from msgspec import Struct

from connectors.files.lines import LineError, decode_line, json_lines, uncapitalised
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


_IDS: Final = msgspec.json.Decoder(_Ids)


def read_jsonl(source: BinaryIO, *, topic: str, name: str) -> Iterator[Outgoing]:
    """Yield a record per line: its value is the line unchanged, and its key is built from the ids in it.

    Blank lines are skipped. Only the ids are validated here; the worker validates the rest. UTF-16 becomes UTF-8.

    Raises:
        ConfigError: a line is not a JSON object with tenant_id and ticket_id; the message gives file and line.
    """
    for number, line, ids in json_lines(source, name, _IDS):
        try:
            yield _of_line(line, ids, topic)
        except LineError as error:
            raise ConfigError(f"{name}:{number}: {error}") from None


def jsonl_record(line: bytes, *, topic: str) -> Outgoing:
    """The record of one line, as `read_jsonl` makes it.

    Raises:
        LineError: the line is not a JSON object with tenant_id and ticket_id.
    """
    return _of_line(line, decode_line(line, _IDS), topic)


def _of_line(line: bytes, ids: _Ids, topic: str) -> Outgoing:
    if "\ufffd" in ids.ticket_id and replace_half_surrogates(line) is not None:
        raise LineError("bad_field", HALF_IN_ID)
    return Outgoing(topic, record_key(ids.tenant_id, ids.ticket_id), line)


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
    now = int(time.time() * 1000) if now_ms is None else now_ms
    events = CsvEvents(RowReader(mapping, header, name), topic=topic, times=times or TimeReader(), now_ms=now)
    return _named(events, rows, name)


def _named(events: "CsvEvents", rows: Iterator[tuple[int, list[str]]], name: str) -> Iterator[Outgoing]:
    for number, (line, row) in enumerate(rows, start=1):
        try:
            yield events.record(row, number)
        except LineError as error:
            raise ConfigError(f"{name}:{line}: {error}") from None


class CsvEvents:
    """Makes records of the rows of one CSV."""

    def __init__(self, reader: RowReader, *, topic: str, times: TimeReader, now_ms: int) -> None:
        self._reader = reader
        self._topic = topic
        self._times = times
        self._now_ms = now_ms

    def record(self, row: Sequence[str], number: int) -> Outgoing:
        """The upsert of a row, as `read_csv` makes it.

        Raises:
            LineError: a value is not valid for its field (`bad_field`).
        """
        event: dict[str, object] = {"version": 1, "created_at": self._now_ms, "updated_at": self._now_ms}
        attributes: dict[str, str] = {}
        for field, value in self._reader.read(row, number).items():
            if not value:
                continue
            if field.startswith(ATTRIBUTE):
                attributes[field.removeprefix(ATTRIBUTE)] = value
            else:
                try:
                    event[field] = _value(field, value, self._times)
                except ValueError as error:
                    quoting = f"{field} is {value[:40]!r}, {error}"
                    raise LineError("bad_field", f"{field} is [hidden], {error}", quoting=quoting) from None
        if attributes:
            event["attributes"] = attributes
        try:
            checked = msgspec.convert({"op": "upsert", **event}, UpsertEvent)
        except msgspec.ValidationError as error:
            raise LineError("bad_field", uncapitalised(error)) from None
        key = record_key(checked.tenant_id, checked.ticket_id)
        return Outgoing(self._topic, key, msgspec.json.encode({"op": "upsert", **event}))


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
