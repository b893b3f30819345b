"""Parses lines that arrive one by one to records. A bad line never spoils a good one."""

import csv
import re
from collections.abc import Iterator, Sequence
from typing import ClassVar, Final, Protocol

from msgspec import Struct

from connectors.files.cutting import Line
from connectors.files.events import CsvEvents, jsonl_record
from connectors.files.lines import MAX_LINE_BYTES, LineError
from connectors.files.mapping import CsvMapping, RowReader
from connectors.files.table import SEP, column_names, csv_fault, delimiter_of, width_fault
from connectors.files.times import TimeReader
from connectors.kafka.producer import Outgoing
from core.errors import ConfigError

#: The part of a text within quotes that doesn't end the quotes.
_QUOTED: Final = re.compile(r'(?:[^"]++|"")*+')


class Outcome(Struct, frozen=True):
    """The outcome of some lines: a record, a fault, or neither for blank lines and a header.

    Attributes:
        lines: the lines with this outcome, in order.
    """

    lines: Sequence[Line]
    record: Outgoing | None = None
    fault: LineError | None = None


class Parser(Protocol):
    """Parses the lines of one file to records."""

    #: Whether a lone carriage return may end a line.
    may_end_in_cr: ClassVar[bool]

    @property
    def rows(self) -> int:
        """Number of a CSV's rows in the outcomes so far."""
        ...

    def learn(self, line: Line) -> None:
        """Pass a line that was handled before the checkpoint.

        Raises:
            ConfigError: the file can't be read as a whole.
        """
        ...

    def feed(self, line: Line) -> Iterator[Outcome]:
        """The outcomes that the next line completes.

        Raises:
            ConfigError: the file can't be read as a whole.
        """
        ...

    def last(self, line: Line) -> Outgoing | None:
        """The record of a possible last line, or None if it is incomplete. The parser's state doesn't change."""
        ...

    def finish(self) -> Iterator[Outcome]:
        """The outcomes of lines that wait for further lines, when there are none."""
        ...


class JsonlParser:
    """Implements `Parser` for JSONL."""

    may_end_in_cr: ClassVar[bool] = False
    rows = 0

    def __init__(self, *, topic: str) -> None:
        self._topic = topic

    def learn(self, line: Line) -> None:
        """See `Parser`."""

    def feed(self, line: Line) -> Iterator[Outcome]:
        """See `Parser`."""
        content = line.content.strip()
        if not content:
            yield Outcome([line])
            return
        try:
            yield Outcome([line], record=jsonl_record(content, topic=self._topic))
        except LineError as error:
            yield Outcome([line], fault=error)

    def last(self, line: Line) -> Outgoing | None:
        """See `Parser`."""
        return next(self.feed(line)).record

    def finish(self) -> Iterator[Outcome]:
        """See `Parser`."""
        return iter(())


class CsvFormat(Struct, frozen=True):
    """The format of a producer's CSV files."""

    mapping: CsvMapping
    times: TimeReader


class CsvParser:
    """Implements `Parser` for CSV. A row may have several lines, as long as its quotes are open."""

    may_end_in_cr: ClassVar[bool] = True

    def __init__(self, form: CsvFormat, *, topic: str, name: str, rows: int, first_ms: int, max_bytes: int) -> None:
        """A parser at the beginning of a file.

        Args:
            form: mapping and times.
            topic: of the records.
            name: the file's name.
            rows: number of rows whose outcome is known; their lines are passed to `learn`.
            first_ms: the time of rows without one.
            max_bytes: of a row; a quote that is never closed costs this much memory at most.
        """
        csv.field_size_limit(MAX_LINE_BYTES)
        self.rows = rows
        self._form = form
        self._topic = topic
        self._name = name
        self._first_ms = first_ms
        self._max_bytes = max_bytes
        self._delimiter: str | None = None
        self._skips_space = False
        self._width = 0
        self._events: CsvEvents | None = None
        self._pending: list[Line] = []
        self._pending_bytes = 0
        self._open = False

    def learn(self, line: Line) -> None:
        """See `Parser`."""
        if self._events is None:
            for _ in self.feed(line):
                pass

    def feed(self, line: Line) -> Iterator[Outcome]:
        """See `Parser`."""
        text = line.content.decode(errors="replace")
        if not self._pending and self._passes(text):
            yield Outcome([line])
            return
        self._pending.append(line)
        self._pending_bytes += len(line.raw)
        self._open = self._ends_open(text, opened=self._open)
        if not self._open:
            yield from self._row()
        elif self._pending_bytes > self._max_bytes:
            yield from self.finish()

    def last(self, line: Line) -> Outgoing | None:
        """See `Parser`."""
        text = line.content.decode(errors="replace")
        if self._events is None or self._pending or self._ends_open(text, opened=False):
            return None
        try:
            return self._record(self._cells([line]), self.rows + 1)
        except LineError:
            return None

    def finish(self) -> Iterator[Outcome]:
        """See `Parser`."""
        if self._pending:
            fault = LineError("bad_row", csv_fault("unexpected end of data"))
            yield from self._give_up(self._taken(), fault)

    def _passes(self, text: str) -> bool:
        """Whether a line between rows is skipped: it is blank, or names the delimiter."""
        if self._delimiter is None and (found := SEP.fullmatch(text.strip("\r\n"))):
            self._delimiter = found["delimiter"]
            return True
        if not text.strip():
            return True
        if self._delimiter is None:
            self._delimiter = delimiter_of(text)
        if self._events is None:
            self._skips_space = f'{self._delimiter} "' in text
        return False

    def _ends_open(self, text: str, *, opened: bool) -> bool:
        """Whether a quoted value is still open at the end of this line."""
        place, delimiter = 0, self._delimiter or ","
        while True:
            if not opened:
                while self._skips_space and text.startswith(" ", place):
                    place += 1
                opened = text[place : place + 1] == '"'
                place += opened
            if opened:
                found = _QUOTED.match(text, place)
                place = found.end() if found else place
                if place == len(text):
                    return True
                opened, place = False, place + 1
            place = text.find(delimiter, place) + 1
            if not place:
                return False

    def _row(self) -> Iterator[Outcome]:
        lines = self._taken()
        try:
            cells = self._cells(lines)
            blank = not any(cell.strip() for cell in cells)
            if self._events is None and not blank:
                self._begin(cells)
            elif not blank:
                self.rows += 1
                yield Outcome(lines, record=self._record(cells, self.rows))
                return
        except LineError as error:
            if error.code == "bad_field":
                yield Outcome(lines, fault=error)
            else:
                yield from self._give_up(lines, error)
            return
        yield Outcome(lines)

    def _taken(self) -> list[Line]:
        lines, self._pending, self._pending_bytes, self._open = self._pending, [], 0, False
        return lines

    def _cells(self, lines: Sequence[Line]) -> list[str]:
        try:
            texts = [line.content.decode() for line in lines]
        except UnicodeDecodeError as error:
            byte = error.object[error.start]
            raise LineError("bad_utf8", f"byte 0x{byte:02x} is not UTF-8; save the file as CSV UTF-8") from None
        try:
            return next(
                csv.reader(texts, delimiter=self._delimiter or ",", strict=True, skipinitialspace=self._skips_space)
            )
        except csv.Error as error:
            raise LineError("bad_row", csv_fault(str(error))) from None

    def _begin(self, header: Sequence[str]) -> None:
        columns = column_names(header)
        self._width = len(columns)
        reader = RowReader(self._form.mapping, columns, self._name)
        self._events = CsvEvents(reader, topic=self._topic, times=self._form.times, now_ms=self._first_ms)

    def _record(self, cells: list[str], number: int) -> Outgoing:
        if fault := width_fault(cells, self._width):
            raise LineError("bad_row", fault)
        assert self._events is not None  # noqa: S101 - rows follow the header
        return self._events.record(cells, number)

    def _give_up(self, lines: Sequence[Line], error: LineError) -> Iterator[Outcome]:
        """Reject the first line, and parse the others again without it."""
        if self._events is None:
            raise ConfigError(f"{self._name}:{lines[0].number}: {error.reason}")
        yield Outcome(lines[:1], fault=error)
        for line in lines[1:]:
            yield from self.feed(line)
