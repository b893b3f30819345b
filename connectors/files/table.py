"""Reads CSV as spreadsheets, databases and shells write it: the names of the columns, and the rows."""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, Final

from connectors.files.lines import MAX_LINE_BYTES, text_lines
from core.errors import ConfigError

if TYPE_CHECKING:
    from _csv import Reader

_DELIMITERS: Final = (",", ";", "\t", "|")
#: Excel's first line, which names the delimiter.
SEP: Final = re.compile(r'"?sep=(?P<delimiter>[^"\r\n])"?', re.IGNORECASE)
_QUOTED: Final = re.compile(r'"[^"]*+"?')
#: Messages for users, by a part of the csv module's error.
_FAULTS: Final = (
    ("expected after", 'text follows the closing quote of a value; write a quote inside a value twice: ""'),
    ("unexpected end of data", "a quoted value has no closing quote before the file ends"),
    ("new-line character", "a carriage return is not inside quotes; put quotes around the value"),
    ("field larger than", f"a value has more than {MAX_LINE_BYTES:,} characters; a closing quote may be missing"),
)


def read_table(source: BinaryIO, name: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The names of the columns, and for each row the number of its last line and its cells.

    The delimiter is detected from the header: a comma, semicolon, tab or pipe. A line like `sep=;` before the header
    names any other. Blank lines, rows of empty cells, and delimiters after the last column are skipped.

    Raises:
        ConfigError: the file has no header, raised by the call; or a row is malformed, raised when the row is read.
    """
    csv.field_size_limit(MAX_LINE_BYTES)
    lines = text_lines(source, name)
    before, first = _next_line(lines, 0)
    found = SEP.fullmatch(first.strip("\r\n"))
    if found:
        before, first = _next_line(lines, before + 1)
    delimiter = found["delimiter"] if found else delimiter_of(first)
    reader = csv.reader(
        chain([first], lines), delimiter=delimiter, strict=True, skipinitialspace=f'{delimiter} "' in first
    )
    rows = _rows(reader, before, name)
    _, header = next(rows, (0, []))
    if not header:
        raise ConfigError(f"{name} is empty, but its first line must name the columns")
    columns = column_names(header)
    return columns, _of_width(rows, len(columns), name)


def column_names(header: Sequence[str]) -> list[str]:
    """The names of a header that is not blank, without delimiters behind the last one."""
    columns = [column.strip() for column in header]
    while not columns[-1]:
        columns.pop()
    return columns


def _next_line(lines: Iterator[str], before: int) -> tuple[int, str]:
    """The next line that is not blank, and the number of lines before it."""
    for line in lines:
        if line.strip():
            return before, line
        before += 1
    return before, ""


def delimiter_of(header: str) -> str:
    """The most frequent one outside quotes."""
    return max(_DELIMITERS, key=_QUOTED.sub("", header).count)


def _rows(reader: "Reader", before: int, name: str) -> Iterator[tuple[int, list[str]]]:
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise ConfigError(f"{name}:{before + reader.line_num}: {csv_fault(str(error))}") from None
        if row is None:
            return
        if any(cell.strip() for cell in row):
            yield before + reader.line_num, row


def _of_width(rows: Iterator[tuple[int, list[str]]], width: int, name: str) -> Iterator[tuple[int, list[str]]]:
    for line, row in rows:
        if fault := width_fault(row, width):
            raise ConfigError(f"{name}:{line}: {fault}")
        yield line, row


def width_fault(row: Sequence[str], width: int) -> str | None:
    """Why a row doesn't fit a header of this many columns, or None."""
    if len(row) < width or any(cell.strip() for cell in row[width:]):
        return f"the row has {len(row)} values, but the header has {width}"
    return None


def csv_fault(message: str) -> str:
    """An error of the csv module, as the user is told."""
    return next((said for part, said in _FAULTS if part in message), message)
