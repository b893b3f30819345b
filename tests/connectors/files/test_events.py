"""Ticket events from JSONL and CSV, and one error line for each mistake."""

import io
import json
from collections.abc import Iterator
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import pytest

from connectors.files import CsvMapping, TimeReader, read_csv, read_jsonl
from connectors.kafka.producer import Outgoing
from core.contract import TicketEvent, UpsertEvent
from core.errors import ConfigError

_NOW: Final = 1_767_225_600_000
_TEXT: Final = ["tenant_id:=acme", "body=text"]


def _jsonl(content: bytes) -> list[Outgoing]:
    return list(read_jsonl(io.BytesIO(content), topic="raw", name="events.jsonl"))


def _csv(content: str | bytes, *mapping: str) -> list[Outgoing]:
    source = io.BytesIO(content.encode() if isinstance(content, str) else content)
    return list(read_csv(source, CsvMapping.parse(mapping), topic="raw", name="rows.csv", now_ms=_NOW))


def _events(content: str | bytes, *mapping: str) -> list[dict[str, Any]]:
    return [json.loads(record.value or b"") for record in _csv(content, *mapping)]


def test_a_line_of_jsonl_is_the_records_value() -> None:
    """The value is the line, byte for byte, and the key is built from its ids; other fields are not checked."""
    line = b'{"ticket_id":"2026/1",  "tenant_id":"acme", "what": [1, 2]}'
    assert _jsonl(line + b"\n") == [Outgoing("raw", b"acme/2026/1", line)]


def test_blank_lines_are_skipped() -> None:
    """A byte order mark, carriage returns, blank lines and a missing last line break are accepted."""
    line = b'{"tenant_id":"a","ticket_id":"1"}'
    assert [r.value for r in _jsonl(b"\xef\xbb\xbf" + line + b"\r\n\n  \n" + line)] == [line, line]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"ticket_id,body", "the line is not a JSON object"),
        (b"[1]", "expected `object`, got `array`"),
        (b'{"tenant_id":"a"}', "object missing required field `ticket_id`"),
        (b'{"tenant_id":"a/b","ticket_id":"1"}', "$.tenant_id"),
        (b'{"tenant_id":"a","ticket_id":""}', "$.ticket_id"),
        (b'{"tenant_id":"a","ticket_id":7}', "expected `str`, got `int`"),
        (b'{"tenant_id":"a","ticket_id":"\xff"}', "utf-8"),
    ],
)
def test_a_line_without_valid_ids_is_named(line: bytes, words: str) -> None:
    """The error gives the file, the line and the mistake, after the lines before it were yielded."""
    good = b'{"tenant_id":"a","ticket_id":"1"}\n'
    reading = read_jsonl(io.BytesIO(good + line + b"\n"), topic="raw", name="events.jsonl")
    assert next(reading).key == b"a/1"
    with pytest.raises(ConfigError) as caught:
        next(reading)
    assert str(caught.value).startswith("events.jsonl:2: ")
    assert words in str(caught.value)


def test_a_file_is_read_line_by_line() -> None:
    """A record is yielded before the next line is read, so the file may be a pipe or larger than memory."""

    class Pipe(io.BytesIO):
        lines: Iterator[bytes] = iter([b"id,text,tenant_id\n", b"1,x,a\n"])

        def readline(self, _size: int | None = -1, /) -> bytes:
            return next(self.lines)  # StopIteration becomes a RuntimeError when it reads too early

    rows = read_csv(Pipe(), CsvMapping.parse(["body=text"]), topic="raw", name="-")
    assert json.loads(next(rows).value or b"")["body"] == "x"


def test_columns_and_constants_become_fields() -> None:
    """A mapped row becomes a valid event, and its key is built from its ids."""
    record = _csv(
        "id,title,text,labels,tier\n7,Hello,It broke,vip; eu |x,gold\n",
        "ticket_id=id", "subject=title", "body=text", "tags=labels", "attributes.tier=tier",
        "tenant_id:=acme", "attributes.source:=export", "priority:=high",
    )[0]  # fmt: skip
    assert record.key == b"acme/7"
    event = msgspec.json.decode(record.value or b"", type=TicketEvent)
    assert isinstance(event, UpsertEvent)
    assert (event.subject, event.body, event.tags, event.priority) == ("Hello", "It broke", ("vip", "eu", "x"), "high")
    assert event.attributes == {"tier": "gold", "source": "export"}
    assert (event.version, event.created_at, event.updated_at) == (1, _NOW, _NOW)


def test_a_column_named_like_a_field_needs_no_mapping() -> None:
    """A column named like a field maps to it unless the field is mapped explicitly; other columns are left out."""
    text = "tenant_id,ticket_id,body,status,other\na,1,x,solved,y\n"
    (plain,) = _events(text)
    assert (plain["status"], plain["body"], "other" in plain) == ("solved", "x", False)
    (mapped,) = _events(text, "status:=open", "body=other")
    assert (mapped["status"], mapped["body"]) == ("open", "y")


def test_an_empty_cell_leaves_its_field_out() -> None:
    """An empty cell omits its field, so the contract's default applies."""
    (event,) = _events("text,status,tags,a\nx,,,\n", *_TEXT, "attributes.a=a")
    assert not {"status", "tags", "attributes"} & set(event)


def test_derived_ids_are_stable() -> None:
    """Reading a file again derives the same ids; equal rows and other files' rows get different ones."""
    first = [record.key for record in _csv("text\nx\nx\ny\n", *_TEXT)]
    assert first == [record.key for record in _csv("text\nx\nx\ny\n", *_TEXT)]
    assert len({*first, *(record.key for record in _csv("text\nq\nr\ns\n", *_TEXT))}) == 6


def test_a_constant_may_hold_the_rows_number() -> None:
    """Rows are counted from 1, ignoring blank lines and line breaks within a cell."""
    records = _csv('text\n"a\nb"\n\nc\n', *_TEXT, "ticket_id:=train-{row}")
    assert [record.key for record in records] == [b"acme/train-1", b"acme/train-2"]
    assert json.loads(records[0].value or b"")["body"] == "a\nb"


@pytest.mark.parametrize(
    ("cell", "ms"),
    [
        ("1767225600000", _NOW),
        ("2026-01-01T00:00:00Z", _NOW),
        ("2026-01-01 01:00:00+01:00", _NOW),
        ("2026-01-01 00:00", _NOW),
        ("2026-01-01", _NOW),
        ("2026-01-01 00:00:00 UTC", _NOW),
    ],
)
def test_a_version_may_be_a_time(cell: str, ms: int) -> None:
    """A time and a version are read alike."""
    (event,) = _events(f"text,at\nx,{cell}\n", *_TEXT, "updated_at=at", "version=at")
    assert (event["updated_at"], event["version"]) == (ms, ms)


def test_a_whole_number_as_version_is_a_counter() -> None:
    """Ten digits are seconds in a time, but not in a version."""
    (event,) = _events("text,at\nx,1767225600\n", *_TEXT, "updated_at=at", "version=at")
    assert (event["updated_at"], event["version"]) == (_NOW, 1_767_225_600)


def test_the_caller_says_how_times_are_read() -> None:
    """The day comes first, and times without a zone are in the given zone."""
    how = TimeReader(day_first=True, zone=ZoneInfo("Europe/Berlin"))
    source = io.BytesIO(b"text,at\nx,01/07/2026 10:00\n")
    (record,) = read_csv(source, CsvMapping.parse([*_TEXT, "updated_at=at"]), topic="raw", name="-", times=how)
    assert json.loads(record.value or b"")["updated_at"] == 1_782_892_800_000


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_header_shows_the_delimiter(delimiter: str) -> None:
    """The delimiter is detected from the header: a comma, semicolon, tab or pipe."""
    (event,) = _events(f"id{delimiter}text\n1{delimiter}x\n", *_TEXT, "ticket_id=id")
    assert (event["ticket_id"], event["body"]) == ("1", "x")


def test_a_spreadsheets_export_is_accepted() -> None:
    """A byte order mark, carriage returns, and a cell above the csv module's default limit of 128 KiB are accepted."""
    content = ('text,tenant_id\r\n"' + "long " * 50_000 + '",acme\r\n').encode("utf-8-sig")
    (event,) = _events(content, "body=text")
    assert len(event["body"]) == 249_999


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("nonsense", "write FIELD=COLUMN, or FIELD:=VALUE"),
        ("=text", "write FIELD=COLUMN"),
        ("bdy=text", "events have no field bdy; the fields are body, category"),
        ("messages=text", "events have no field messages"),
        ("body=other", "body is mapped twice"),
    ],
)
def test_a_wrong_mapping_is_quoted(item: str, words: str) -> None:
    """The error quotes the item, and shows how to write it or lists the fields."""
    with pytest.raises(ConfigError) as caught:
        CsvMapping.parse([*_TEXT, item])
    assert f"--map {item}: " in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("content", "mapping", "words"),
    [
        (b"", _TEXT, "rows.csv is empty, but its first line must name the columns"),
        (b"\n \n", _TEXT, "rows.csv is empty"),
        (b",,\n", _TEXT, "rows.csv is empty"),
        (b"id,text,text\n", _TEXT, "2 columns named text; add --map 'body=text#1' for the first"),
        (b"id,text,text\n", [*_TEXT[:1], "body=text#3"], "rows.csv has no column text#3"),
        (b"body,body\n", _TEXT[:1], "2 columns named body"),
        (b"id,words\n", _TEXT, "rows.csv has no column text; it has id, words"),
        (b"id,text\n", ["body=text"], "--map tenant_id:=NAME"),
        (
            b"id,text\n",
            ["tenant_id:=acme"],
            "no subject or body; add --map body=COLUMN, where COLUMN is one of id, text",
        ),
        ("id,t\xeaxt\n".encode("cp1252"), _TEXT, "rows.csv:1: byte 0xea is not UTF-8; save the file as CSV UTF-8"),
    ],
)
def test_a_wrong_header_is_reported_at_once(content: bytes, mapping: list[str], words: str) -> None:
    """An error of the header is raised before any row is read, so nothing of the file is written."""
    with pytest.raises(ConfigError) as caught:
        read_csv(io.BytesIO(content), CsvMapping.parse(mapping), topic="raw", name="rows.csv")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (b"1,\xe9,", "rows.csv:3: byte 0xe9 is not UTF-8; save the file as CSV UTF-8, or convert it first: iconv -f"),
        (b"1,x", "rows.csv:3: the row has 2 values, but the header has 3"),
        (b"1,x,2026-01-05,y", "rows.csv:3: the row has 4 values, but the header has 3"),
        (b'1,"x,', "rows.csv:3: a quoted value has no closing quote before the file ends"),
        (b'1,"x"y,', "rows.csv:3: text follows the closing quote of a value"),
        (b",x,", "rows.csv:3: object missing required field `ticket_id`"),
        (b"1,x,yesterday", "rows.csv:3: updated_at is 'yesterday', but must be a time, for example 2026"),
        (b"1,x,01/02/2026", "rows.csv:3: updated_at is '01/02/2026', which may be 1 February or 2 January; add --day-"),
        (b"1,x,253402300800000", "rows.csv:3: expected `int` <= 253402300799999 - at `$.updated_at`"),
    ],
)
def test_a_malformed_row_is_named(row: bytes, words: str) -> None:
    """The error gives the file, the line and the mistake in one line, after the rows before it were yielded."""
    content = b"id,text,at\n0,y,\n" + row
    mapping = CsvMapping.parse([*_TEXT, "ticket_id=id", "updated_at=at"])
    rows = read_csv(io.BytesIO(content), mapping, topic="raw", name="rows.csv")
    assert next(rows).key == b"acme/0"
    with pytest.raises(ConfigError) as caught:
        next(rows)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_of_several_columns_with_one_name_is_chosen_by_number() -> None:
    """COLUMN#2 is the second, and COLUMN#* is all of them: tags add up, and texts follow each other."""
    text = "tenant_id,note,label,note,label\na,x,vip,y,eu\nb,x,,,\n"
    (second, _) = _events(text, "body=note#2")
    assert second["body"] == "y"
    both, one = _events(text, "body=note#*", "tags=label#*")
    assert (both["body"], both["tags"]) == ("x\n\ny", ["vip", "eu"])
    assert (one["body"], "tags" in one) == ("x", False)


def test_a_column_whose_name_ends_in_a_number_sign_comes_first() -> None:
    """A header may hold `note#2` itself."""
    (event,) = _events("tenant_id,note,note#2\na,x,y\n", "body=note#2")
    assert event["body"] == "y"


def test_half_an_emoji_does_not_end_a_file_of_jsonl() -> None:
    """The line is written unchanged."""
    line = rb'{"tenant_id":"a","ticket_id":"1","x":"\ud83d"}'
    assert [(r.key, r.value) for r in _jsonl(line)] == [(b"a/1", line)]


def test_half_an_emoji_in_an_id_is_refused() -> None:
    """Two tickets would become one if each half counted as U+FFFD."""
    with pytest.raises(ConfigError, match=r"^events.jsonl:1: ticket_id: it has half of a surrogate pair"):
        _jsonl(rb'{"tenant_id":"a","ticket_id":"\udc00"}')


def test_an_array_of_events_is_refused_with_a_hint() -> None:
    """JSONL has one event per line."""
    with pytest.raises(ConfigError, match=r"^events.jsonl:1: .* write one object per line, for example with jq"):
        _jsonl(b'[{"tenant_id":"a","ticket_id":"1"}]')


def test_jsonl_in_utf16_becomes_utf8() -> None:
    """Windows PowerShell redirects output to a file in UTF-16."""
    line = '{"tenant_id":"a","ticket_id":"1","subject":"Größe 😀"}'
    (record,) = _jsonl(f"{line}\r\n".encode("utf-16"))
    assert (record.key, record.value) == (b"a/1", line.encode())


def test_an_errors_line_number_counts_lines() -> None:
    """Line numbers account for the line breaks within cells."""
    with pytest.raises(ConfigError, match=r"^rows.csv:5: the row has 1 values"):
        _csv('id,text\n1,"a\nb\nc"\n2\n', *_TEXT)
