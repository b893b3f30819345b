"""Ticket events from files, a line at a time: JSONL as it is, and CSV through a mapping of columns."""

import csv
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, BinaryIO, Final

import msgspec
from msgspec import Struct

from connectors.kafka.producer import Outgoing
from core.contract import TenantId, TicketId, UpsertEvent, milliseconds, record_key
from core.errors import ConfigError

_FIELDS: Final = frozenset(UpsertEvent.__struct_fields__) - {"messages", "attributes", "schema_version"}
_ATTRIBUTE: Final = "attributes."
_TEXTS: Final = frozenset({"subject", "body"})
_TIMES: Final = frozenset({"created_at", "updated_at"})
#: A constant may hold the number of the row.
_ROW: Final = "{row}"
_TAG_SEPARATORS: Final = re.compile(r"[,;|]")
_DELIMITERS: Final = (",", ";", "\t", "|")
_BOM: Final = b"\xef\xbb\xbf"
#: Many times what a worker takes: a file with longer lines is not what it is said to be.
_MAX_LINE_BYTES: Final = 16 * 1024 * 1024


class _Ids(Struct):
    tenant_id: TenantId
    ticket_id: TicketId


def read_jsonl(source: BinaryIO, *, topic: str, name: str) -> Iterator[Outgoing]:
    """One event per line, its bytes as they are, under the key that its ids make. Empty lines are passed over.

    Only the ids are checked: what else a line holds is for the worker to judge.

    Raises:
        ConfigError: a line is no object with tenant_id and ticket_id; the message names file and line.
    """
    decoder = msgspec.json.Decoder(_Ids)
    for number, line in _lines(source, name):
        event = line.strip()
        if not event:
            continue
        try:
            ids = decoder.decode(event)
        except msgspec.ValidationError as error:
            raise ConfigError(f"{name}:{number}: {_lower(error)}; the ids make the record's key") from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ConfigError(f"{name}:{number}: this line is not a JSON object ({_lower(error)})") from None
        yield Outgoing(topic, record_key(ids.tenant_id, ids.ticket_id), event)


class CsvMapping(Struct, frozen=True):
    """Which column, or which constant, goes into which field of an event."""

    columns: Mapping[str, str]
    constants: Mapping[str, str]

    @classmethod
    def parse(cls, items: Sequence[str]) -> "CsvMapping":
        """From FIELD=COLUMN and FIELD:=VALUE; `{row}` in a value is the row's number, from 1.

        Raises:
            ConfigError: an item is neither, names a field that events don't have, or names one again.
        """
        columns: dict[str, str] = {}
        constants: dict[str, str] = {}
        for item in items:
            field, equals, right = item.partition("=")
            target = constants if field.endswith(":") else columns
            field = field.removesuffix(":").strip()
            if not equals or not field:
                raise ConfigError(f"--map {item}: write FIELD=COLUMN, or FIELD:=VALUE for all rows")
            if field not in _FIELDS and not field.startswith(_ATTRIBUTE):
                known = ", ".join(sorted(_FIELDS))
                raise ConfigError(f"--map {item}: events have no field {field}; there is {known}, and attributes.NAME")
            if field in columns or field in constants:
                raise ConfigError(f"--map {item}: {field} is mapped twice")
            target[field] = right
        return cls(columns, constants)


def read_csv(
    source: BinaryIO, mapping: CsvMapping, *, topic: str, name: str, now_ms: int | None = None
) -> Iterator[Outgoing]:
    """One upsert per row. The first line names the columns; comma, semicolon, tab or bar parts them.

    Columns named like a field map to it unless the mapping says otherwise. An empty cell leaves its field out. Where
    nothing gives them, ticket_id is made from the row's number and content, so that reading a file twice changes
    nothing; version is 1; the times are `now_ms`, by default the clock's. Tags are parted by comma, semicolon or bar.
    A time is milliseconds since 1970 or ISO 8601, in UTC where it has no offset; a version may be such a time too.

    Raises:
        ConfigError: the file has no header, a column of the mapping is missing or tenant_id comes from nowhere, all
            at the call; or a row is malformed, when it is reached.
    """
    csv.field_size_limit(_MAX_LINE_BYTES)
    lines = _text(source, name)
    first = next(lines, "")
    if not first.strip():
        raise ConfigError(f"{name}: the first line is empty; it should name the columns")
    header, delimiter = _header(first, name)
    fields = _resolve(mapping, header, name)
    now = int(time.time() * 1000) if now_ms is None else now_ms
    rows = _rows(lines, len(header), delimiter, name)
    return (_event(_given(mapping, fields, row, n), f"{name}:{line}", now, topic) for n, (line, row) in rows)


def _lines(source: BinaryIO, name: str) -> Iterator[tuple[int, bytes]]:
    """Numbered from 1, without a byte order mark."""
    number = 0
    while line := source.readline(_MAX_LINE_BYTES):
        number += 1
        if len(line) == _MAX_LINE_BYTES:
            raise ConfigError(f"{name}:{number}: a line of more than {_MAX_LINE_BYTES:,} bytes")
        yield number, line.removeprefix(_BOM) if number == 1 else line


def _text(source: BinaryIO, name: str) -> Iterator[str]:
    for number, line in _lines(source, name):
        try:
            yield line.decode()
        except UnicodeDecodeError:
            raise ConfigError(f"{name}:{number}: not UTF-8; convert the file first, for example with iconv") from None


def _header(line: str, name: str) -> tuple[list[str], str]:
    """The columns, and the delimiter that makes most of them."""
    try:
        found = [(next(csv.reader([line], delimiter=delimiter, strict=True)), delimiter) for delimiter in _DELIMITERS]
    except csv.Error as error:
        raise ConfigError(f"{name}:1: {error}") from None
    columns, delimiter = max(found, key=lambda pair: len(pair[0]))
    return [column.strip() for column in columns], delimiter


def _resolve(mapping: CsvMapping, header: Sequence[str], name: str) -> dict[str, int]:
    """Field to column number."""
    wanted = {column: column for column in header if column in _FIELDS and column not in mapping.constants}
    wanted |= mapping.columns
    missing = sorted(set(wanted.values()) - set(header))
    if missing:
        raise ConfigError(f"{name} has no column {', '.join(missing)}; it has {', '.join(header)}")
    named = {*wanted, *mapping.constants}
    if "tenant_id" not in named:
        raise ConfigError(f"{name}: whose tickets are these? Say --map tenant_id:=NAME, or --map tenant_id=COLUMN")
    if not named & _TEXTS:
        raise ConfigError(f"{name}: where is the text? Say --map body=COLUMN; there is {', '.join(header)}")
    return {field: header.index(column) for field, column in wanted.items()}


def _rows(lines: Iterator[str], width: int, delimiter: str, name: str) -> Iterator[tuple[int, tuple[int, list[str]]]]:
    """Number of the row, and with it its last line in the file and its cells."""
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    number = 0
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise ConfigError(f"{name}:{rows.line_num + 1}: {error}") from None
        if row is None:
            return
        line = rows.line_num + 1  # the header was read before
        if not row:
            continue
        number += 1
        if len(row) != width:
            raise ConfigError(f"{name}:{line}: {len(row)} values where the header has {width}")
        yield number, (line, row)


def _given(mapping: CsvMapping, fields: Mapping[str, int], row: Sequence[str], number: int) -> dict[str, str]:
    """What the row gives each field."""
    given = {field: value.replace(_ROW, str(number)) for field, value in mapping.constants.items()}
    given |= {field: row[column].strip() for field, column in fields.items()}
    if "ticket_id" not in given:
        content = "\x1f".join((str(number), *row)).encode()
        given["ticket_id"] = f"row-{number}-{blake2b(content, digest_size=6).hexdigest()}"
    return given


def _event(given: Mapping[str, str], where: str, now_ms: int, topic: str) -> Outgoing:
    event: dict[str, Any] = {"version": 1, "created_at": now_ms, "updated_at": now_ms}
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
                raise ConfigError(f"{where}: {field} is {value[:40]!r}; it should be a number or a time") from None
    if attributes:
        event["attributes"] = attributes
    try:
        checked = msgspec.convert({"op": "upsert", **event}, UpsertEvent)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {_lower(error)}") from None
    key = record_key(checked.tenant_id, checked.ticket_id)
    return Outgoing(topic, key, msgspec.json.encode({"op": "upsert", **event}))


def _number_or_time(value: str) -> int:
    """An integer as it is; else the milliseconds of an ISO 8601 time, which is UTC when it doesn't say.

    Raises:
        ValueError: it is neither.
    """
    if value.isdecimal():
        return int(value)
    found = datetime.fromisoformat(value)
    return milliseconds(found if found.tzinfo else found.replace(tzinfo=UTC))


def _tags(value: str) -> tuple[str, ...]:
    return tuple(tag.strip() for tag in _TAG_SEPARATORS.split(value) if tag.strip())


_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "tags": _tags,
    "version": _number_or_time,
    **dict.fromkeys(_TIMES, _number_or_time),
}


def _lower(error: Exception) -> str:
    message = str(error)
    return message[:1].lower() + message[1:]
