"""Reads a growing file in batches, from its checkpoint to its current end."""

import hashlib
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct, structs

from connectors.files.cutting import Line, LineCutter
from connectors.files.lines import LineError
from connectors.files.parsing import Outcome, Parser
from connectors.files.unpacking import Content, digest_of
from connectors.kafka.producer import Outgoing
from core.errors import ConfigError
from core.producing import HEAD_BYTES, Checkpoint, RawFile
from core.raw_records import Origin, Record, Rejected

_BATCH_BYTES: Final = 1024 * 1024
#: The maximum number of lines of a batch, which bounds lines without a record, such as blank ones.
_BATCH_LINES: Final = 10_000

#: Makes the parser of the file of a checkpoint.
NewParser = Callable[[Checkpoint], Parser]


class FileBatch(Struct, frozen=True):
    """Records and faults of some lines, and the checkpoint behind these lines.

    Attributes:
        origins: file name and line number of each record.
        content_bytes: total length of the lines.
        at_end: the file has no further line at present.
    """

    records: list[Outgoing]
    origins: list[Origin]
    rejected: list[Rejected]
    checkpoint: Checkpoint
    content_bytes: int
    at_end: bool


class Tail:
    """An open file. At most a line and a chunk of it are in memory."""

    def __init__(self, raw: RawFile, checkpoint: Checkpoint, parser: Parser, *, max_line_bytes: int) -> None:
        """The file at its beginning; `skip` then moves to the checkpoint."""
        self.raw = raw
        self._from = checkpoint
        self._content = Content(raw, checkpoint.name)
        self._cutter = LineCutter(max_bytes=max_line_bytes, may_end_in_cr=parser.may_end_in_cr)
        self._parser = parser
        self._hash = hashlib.blake2b(digest_size=16)
        self._position = 0
        self._lines = 0
        self._read = 0
        self._last_line = checkpoint.last_line
        self._stamp = ""
        self._long: Line | None = None
        self._point: Checkpoint | None = None
        self._stream = self._outcomes()

    def skip(self, tick: Callable[[], None]) -> bool:
        """Move to the checkpoint. False if the bytes before it differ from those sent. Calls `tick` now and then.

        Raises:
            TransientError: the file can't be read for now.
            ConfigError: it can't be read as a whole.
        """
        while self._position < self._from.position:
            line = self._cutter.line()
            if line is None:
                tick()
                if self._fill():
                    continue
                line = self._cutter.take_rest()
                if line is None:
                    return False
            self._pass(line)
            if not line.overlong:
                self._parser.learn(line)
        return self._position == self._from.position and self._hash.hexdigest() == (self._from.digest or _NOTHING)

    def batch(self, max_records: int, *, now_ms: int, settled: bool) -> FileBatch:
        """The next lines. With `settled`, a complete last line counts without its line break.

        Raises:
            TransientError: the file can't be read for now.
            ConfigError: it can't be read as a whole; the message says why.
        """
        batch = FileBatch([], [], [], self._from, 0, False)
        begin, lines, at_end = self._position, self._lines, False
        while (
            len(batch.records) + len(batch.rejected) < max_records
            and self._position - begin < _BATCH_BYTES
            and self._lines - lines < _BATCH_LINES
        ):
            outcome = next(self._stream)
            if outcome is None:
                at_end = True
                break
            for line in outcome.lines:
                self._pass(line)
            self._add(outcome, batch, now_ms)
        if at_end and (settled or self.raw.finished):
            self._add_unended(batch)
        checkpoint = self._checkpoint(now_ms, at_end=at_end, settled=settled)
        return structs.replace(batch, checkpoint=checkpoint, content_bytes=self._position - begin, at_end=at_end)

    def close(self) -> None:
        """Close the file."""
        self.raw.close()

    def _outcomes(self) -> Iterator[Outcome | None]:
        """The outcomes of all lines; None at the current end of the file."""
        while True:
            line = self._cutter.line()
            if line is not None:
                yield from self._outcomes_of(line)
            elif not self._fill():
                if self.raw.finished:
                    yield from self._ending()
                yield None

    def _outcomes_of(self, line: Line) -> Iterator[Outcome]:
        if line.overlong:
            yield from self._parser.finish()
            fault = LineError("too_large", "the line is longer than four times TICKETS_CONTRACT__MAX_RECORD_BYTES")
            self._long = line if line.content else self._long
            yield Outcome([line], fault=fault if line.ended else None)
            return
        known, self._last_line = self._last_line, ""
        for outcome in self._parser.feed(line):
            yield Outcome(outcome.lines) if known and known == _digest_of(line) else outcome

    def _ending(self) -> Iterator[Outcome]:
        """The outcomes at the end of a file that can't grow, except for a good last line."""
        if not self._content.whole:
            raise ConfigError(f"{self._from.name}: the gzip data ends too early; write the file again")
        line = self._cutter.rest()
        if line is None or line.overlong or self._parser.last(line) is None:
            line = self._cutter.take_rest()
            if line is not None:
                yield from self._outcomes_of(line)
            yield from self._parser.finish()

    def _add(self, outcome: Outcome, batch: FileBatch, now_ms: int) -> None:
        lines = [self._long] if self._long is not None and outcome.lines[0].overlong else outcome.lines
        origin = Origin(self._from.name, 0, lines[0].number)
        if outcome.record is not None:
            batch.records.append(outcome.record)
            batch.origins.append(origin)
        if outcome.fault is not None:
            value = b"".join(line.content for line in lines).rstrip(b"\r\n")
            reason = f"line {origin.offset}: {outcome.fault.reason}"
            batch.rejected.append(Rejected(Record(origin, None, value, now_ms), "read", outcome.fault.code, reason))

    def _add_unended(self, batch: FileBatch) -> None:
        """Add a last line without line break, if it is complete and not sent yet."""
        line = self._cutter.rest()
        if line is None or line.overlong or not self._content.whole or _digest_of(line) == self._last_line:
            return
        record = self._parser.last(line)
        if record is not None:
            self._last_line = _digest_of(line)
            self._add(Outcome([line], record=record), batch, 0)

    def _fill(self) -> bool:
        """Read the next chunk. False at the current end of the file."""
        stamp, size = self.raw.state()
        data = self._content.read()
        self._cutter.feed(data)
        self._read += len(data)
        self._stamp = stamp if not data and size == self.raw.position else ""
        return bool(data)

    def _pass(self, line: Line) -> None:
        if not line.ended and self._point is None:
            self._point = self._mark()
        self._hash.update(line.raw)
        self._position += len(line.raw)
        if line.ended:
            self._lines += 1
            self._point = None

    def _mark(self) -> Checkpoint:
        return structs.replace(
            self._from,
            stamp="",
            position=self._position,
            lines=self._lines,
            rows=self._parser.rows,
            digest=self._hash.hexdigest(),
            head=self._content.head if self._position >= HEAD_BYTES else "",
        )

    def _checkpoint(self, now_ms: int, *, at_end: bool, settled: bool) -> Checkpoint:
        """The checkpoint behind the last complete line that was passed."""
        left = self._read - self._position + (not self._content.whole)
        done = at_end and (settled or self.raw.finished or not left)
        return structs.replace(
            self._point or self._mark(),
            stamp=self._stamp if done else "",
            last_line=self._last_line,
            left=left if done else 0,
            saved_ms=now_ms,
        )


def open_tail(
    raw: RawFile,
    checkpoint: Checkpoint,
    new_parser: NewParser,
    *,
    max_line_bytes: int,
    tick: Callable[[], None] = lambda: None,
) -> Tail | None:
    """The file at its checkpoint; None if the bytes before it differ from those that were sent.

    `tick` is called now and then.

    Raises:
        TransientError: the file can't be read for now.
        ConfigError: it can't be read as a whole.
    """
    tail = Tail(raw, checkpoint, new_parser(checkpoint), max_line_bytes=max_line_bytes)
    return tail if tail.skip(tick) else None


def head_of(raw: RawFile, name: str) -> str:
    """Digest of the first `HEAD_BYTES` of a file at its beginning, or empty if there are fewer.

    Raises:
        TransientError: the file can't be read for now.
        ConfigError: it is damaged.
    """
    content = Content(raw, name)
    while not content.head and content.read():
        pass
    return content.head


def _digest_of(line: Line) -> str:
    return digest_of(line.content.strip())


_NOTHING: Final = digest_of(b"")
