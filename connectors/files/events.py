"""Reads ticket events from a file, line by line: JSONL unchanged, and CSV through a mapping of its columns."""

import csv
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import BinaryIO, Final

import msgspec
from msgspec import Struct

from connectors.files.lines import MAX_LINE_BYTES, json_lines, text_lines, uncapitalised
from connectors.kafka.producer import Outgoing
from core.contract import TenantId, TicketId, UpsertEvent, milliseconds, record_key
from core.errors import ConfigError

_FIELDS: Final = frozenset(UpsertEvent.__struct_fields__) - {"messages", "attributes", "schema_version"}
_ATTRIBUTE: Final = "attributes."
_TEXTS: Final = frozenset({"subject", "body"})
_TIMES: Final = frozenset({"created_at", "updated_at"})
#: In a constant, stands for the number of the row.
_ROW_NUMBER: Final = "{row}"
_TAG_SEPARATORS: Final = re.compile(r"[,;|]")
_DELIMITERS: Final = (",", ";", "\t", "|")


class _Ids(Struct):
    tenant_id: TenantId
    ticket_id: TicketId


def read_jsonl(source: BinaryIO, *, topic: str, name: str) -> Iterator[Outgoing]:
    """Yield a record per line: its value is the line unchanged, and its key is built from the ids in it.

    Blank lines are skipped. Only the ids are validated here; the worker validates the rest.

    Raises:
        ConfigError: a line is not a JSON object with tenant_id and ticket_id; the message gives file and line.
    """
    for _number, line, ids in json_lines(source, name, msgspec.json.Decoder(_Ids)):
        yield Outgoing(topic, record_key(ids.tenant_id, ids.ticket_id), line)


class CsvMapping(Struct, frozen=True):
    """The column, or the constant, that each field of an event is taken from."""

    columns: Mapping[str, str]
    constants: Mapping[str, str]

    @classmethod
    def parse(cls, items: Sequence[str]) -> "CsvMapping":
        """Parse items like FIELD=COLUMN and FIELD:=VALUE; `{row}` in a VALUE is replaced by the row's number, from 1.

        Raises:
            ConfigError: an item has neither form, names an unknown field, or maps a field twice.
        """
        columns: dict[str, str] = {}
        constants: dict[str, str] = {}
        for item in items:
            field, equals, right = item.partition("=")
            target = constants if field.endswith(":") else columns
            field = field.removesuffix(":").strip()
            if not equals or not field:
                raise ConfigError(f"--map {item}: write FIELD=COLUMN, or FIELD:=VALUE for one value in all rows")
            if field not in _FIELDS and not field.startswith(_ATTRIBUTE):
                known = ", ".join(sorted(_FIELDS))
                raise ConfigError(
                    f"--map {item}: events have no field {field}; the fields are {known} and attributes.NAME"
                )
            if field in columns or field in constants:
                raise ConfigError(f"--map {item}: {field} is mapped twice")
            target[field] = right
        return cls(columns, constants)


def read_csv(
    source: BinaryIO, mapping: CsvMapping, *, topic: str, name: str, now_ms: int | None = None
) -> Iterator[Outgoing]:
    """Yield an upsert per row. The first line names the columns; commas, semicolons, tabs or pipes separate them.

    A column that is named like a field maps to it unless the mapping says otherwise. An empty cell leaves its field
    out. Fields that nothing maps to have defaults: ticket_id is derived from the row's number and content, so reading
    a file twice is idempotent; version is 1; the times are `now_ms`, by default the clock's. Tags are separated by
    commas, semicolons or pipes. A time is in milliseconds since 1970 or ISO 8601, in UTC if it has no offset; a version
    may be such a time too.

    Raises:
        ConfigError: the file has no header, a mapped column is missing, or tenant_id or the text is not mapped, all
            raised by the call; or a row is malformed, raised when the row is read.
    """
    csv.field_size_limit(MAX_LINE_BYTES)
    lines = text_lines(source, name)
    first = next(lines, "")
    if not first.strip():
        raise ConfigError(f"{name}: the first line is empty, but it must name the columns")
    header, delimiter = _header(first, name)
    fields = _resolve(mapping, header, name)
    now = int(time.time() * 1000) if now_ms is None else now_ms
    rows = _rows(lines, len(header), delimiter, name)
    return (_event(_given(mapping, fields, row, n), f"{name}:{line}", now, topic) for n, (line, row) in rows)


def _header(line: str, name: str) -> tuple[list[str], str]:
    """The names of the columns, and the delimiter: the one that yields the most columns."""
    try:
        found = [(next(csv.reader([line], delimiter=delimiter, strict=True)), delimiter) for delimiter in _DELIMITERS]
    except csv.Error as error:
        raise ConfigError(f"{name}:1: {error}") from None
    columns, delimiter = max(found, key=lambda pair: len(pair[0]))
    return [column.strip() for column in columns], delimiter


def _resolve(mapping: CsvMapping, header: Sequence[str], name: str) -> dict[str, int]:
    """The number of the column that each field is taken from."""
    wanted = {column: column for column in header if column in _FIELDS and column not in mapping.constants}
    wanted |= mapping.columns
    missing = sorted(set(wanted.values()) - set(header))
    if missing:
        raise ConfigError(f"{name} has no column {', '.join(missing)}; it has {', '.join(header)}")
    named = {*wanted, *mapping.constants}
    if "tenant_id" not in named:
        raise ConfigError(f"{name}: no tenant_id; add --map tenant_id:=NAME or --map tenant_id=COLUMN")
    if not named & _TEXTS:
        raise ConfigError(
            f"{name}: no subject or body; add --map body=COLUMN, where COLUMN is one of {', '.join(header)}"
        )
    return {field: header.index(column) for field, column in wanted.items()}


def _rows(lines: Iterator[str], width: int, delimiter: str, name: str) -> Iterator[tuple[int, tuple[int, list[str]]]]:
    """Yield each row's number, with the number of its last line and its cells."""
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    number = 0
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise ConfigError(f"{name}:{rows.line_num + 1}: {error}") from None
        if row is None:
            return
        line = rows.line_num + 1  # the header was read apart
        if not row:
            continue
        number += 1
        if len(row) != width:
            raise ConfigError(f"{name}:{line}: the row has {len(row)} values, but the header has {width}")
        yield number, (line, row)


def _given(mapping: CsvMapping, fields: Mapping[str, int], row: Sequence[str], number: int) -> dict[str, str]:
    """The row's value for each field."""
    given = {field: value.replace(_ROW_NUMBER, str(number)) for field, value in mapping.constants.items()}
    given |= {field: row[column].strip() for field, column in fields.items()}
    if "ticket_id" not in given:
        content = "\x1f".join((str(number), *row)).encode()
        given["ticket_id"] = f"row-{number}-{blake2b(content, digest_size=6).hexdigest()}"
    return given


def _event(given: Mapping[str, str], where: str, now_ms: int, topic: str) -> Outgoing:
    event: dict[str, object] = {"version": 1, "created_at": now_ms, "updated_at": now_ms}
    attributes: dict[str, str] = {}
    for field, value in given.items():
        if not value:
            continue
        if field.startswith(_ATTRIBUTE):
            attributes[field.removeprefix(_ATTRIBUTE)] = value
        else:
            try:
                event[field] = _READERS.get(field, str)(value)
            except ValueError:
                raise ConfigError(f"{where}: {field} is {value[:40]!r}, but must be a number or a time") from None
    if attributes:
        event["attributes"] = attributes
    try:
        checked = msgspec.convert({"op": "upsert", **event}, UpsertEvent)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {uncapitalised(error)}") from None
    key = record_key(checked.tenant_id, checked.ticket_id)
    return Outgoing(topic, key, msgspec.json.encode({"op": "upsert", **event}))


def _number_or_time(value: str) -> int:
    """An integer unchanged, or an ISO 8601 time, in UTC if it has no offset, in milliseconds since 1970.

    Raises:
        ValueError: the value is neither.
    """
    if value.isdecimal():
        return int(value)
    found = datetime.fromisoformat(value)
    return milliseconds(found if found.tzinfo else found.replace(tzinfo=UTC))


def _tags(value: str) -> tuple[str, ...]:
    return tuple(tag.strip() for tag in _TAG_SEPARATORS.split(value) if tag.strip())


_READERS: Final[dict[str, Callable[[str], object]]] = {
    "tags": _tags,
    "version": _number_or_time,
    **dict.fromkeys(_TIMES, _number_or_time),
}
