"""Cuts a file that may still grow into lines. A line keeps its raw bytes, so that its position in the file is known.

The rules are those of `connectors.files.lines`: UTF-8 or UTF-16, with or without a byte order mark; lines end in LF or
CR LF, and those of a CSV may end in CR alone.
"""

import re
from typing import Final, Literal

from msgspec import Struct

from connectors.files.lines import BOM, utf16

Encoding = Literal["utf-8", "utf-16-le", "utf-16-be"]

_LF: Final = {"utf-8": b"\n", "utf-16-le": b"\n\0", "utf-16-be": b"\0\n"}
#: Number of bytes that are needed to detect the encoding.
_TELLING: Final = 4
#: A certain line end: a line feed, or a carriage return followed by another byte than a line feed.
_CR_OR_LF: Final = re.compile(rb"\n|\r(?=[^\n])")
#: The end of the first line. Carriage returns before a line feed or the file's end don't tell.
_FIRST_END: Final = re.compile(rb"\n|\r+(?=[^\r\n])")


class Line(Struct, frozen=True):
    """A line, or a piece of a line that is too long.

    Attributes:
        number: the line's number, from 1.
        raw: the bytes in the file, including the line end.
        content: the same in UTF-8, without byte order mark; empty for every piece but a line's first.
        overlong: the line has more bytes than allowed.
        ended: the line ends with this piece.
    """

    number: int
    raw: bytes
    content: bytes
    overlong: bool = False
    ended: bool = True


class LineCutter:
    """Cuts bytes into lines. Buffers at most a line of `max_bytes` and the bytes that were fed last."""

    def __init__(self, *, max_bytes: int, may_end_in_cr: bool = False) -> None:
        self._max_bytes = max_bytes
        self._may_end_in_cr = may_end_in_cr
        self._buffer = bytearray()
        self._start = 0
        self._searched = 0
        self._encoding: Encoding | None = None
        self._ends_in_cr: bool | None = None if may_end_in_cr else False
        self._number = 1
        self._pieces = 0

    def feed(self, data: bytes) -> None:
        """Add the file's next bytes."""
        del self._buffer[: self._start]
        self._searched -= self._start
        self._start = 0
        self._buffer += data

    def line(self) -> Line | None:
        """The next complete line, or a piece of a line that is too long. None if more bytes are needed."""
        if not self._known():
            return None
        end = self._end()
        if end:
            return self._cut(end, ended=True)
        if self.held < self._max_bytes:
            return None
        return self._cut(self._start + self.held // 2 * 2, ended=False)  # a character of UTF-16 has two or four bytes

    def rest(self) -> Line | None:
        """The bytes after the last line end, as a line. They stay in the buffer until `take_rest`."""
        return self._cut(len(self._buffer), ended=True, take=False) if self.held else None

    def take_rest(self) -> Line | None:
        """Remove and return the bytes after the last line end, because the file ends here."""
        return self._cut(len(self._buffer), ended=True) if self.held else None

    @property
    def held(self) -> int:
        """Number of buffered bytes."""
        return len(self._buffer) - self._start

    def _known(self) -> bool:
        """Whether the encoding and the kind of line end are known; detects them if there are enough bytes."""
        if self._encoding is None:
            if self.held < _TELLING:
                return False
            self._encoding = _encoding(self._buffer)
        if self._ends_in_cr is None:
            found = _FIRST_END.search(self._buffer) if self._encoding == "utf-8" else None
            if found is None and self._encoding == "utf-8" and self.held < self._max_bytes:
                return False
            self._ends_in_cr = found is not None and found[0] != b"\n"
        return True

    def _end(self) -> int:
        """Index behind the next line end in the buffer, or 0."""
        if self._ends_in_cr:
            found = _CR_OR_LF.search(self._buffer, self._searched)
            self._searched = max(self._start, len(self._buffer) - 1) if found is None else found.end()
            return 0 if found is None else found.end()
        mark = _LF[self._encoding or "utf-8"]
        while (place := self._buffer.find(mark, self._searched)) >= 0:
            self._searched = place + 1
            if (place - self._start) % len(mark) == 0:
                return place + len(mark)
        self._searched = max(self._searched, len(self._buffer) - len(mark) + 1)
        return 0

    def _cut(self, end: int, *, ended: bool, take: bool = True) -> Line:
        raw = bytes(self._buffer[self._start : end])
        overlong = self._pieces > 0 or not ended or len(raw) > self._max_bytes
        content = b"" if self._pieces else self._content(raw)
        line = Line(self._number, raw, content, overlong, ended)
        if take:
            self._start = end
            self._searched = max(self._searched, end)
            self._pieces = 0 if ended else self._pieces + 1
            self._number += ended
        return line

    def _content(self, raw: bytes) -> bytes:
        encoding = self._encoding or _encoding(raw)
        content = raw if encoding == "utf-8" else raw.decode(encoding, errors="replace").encode()
        return content.removeprefix(BOM) if self._number == 1 else content


def _encoding(first: bytes | bytearray) -> Encoding:
    found = utf16(bytes(first[:_TELLING]))
    if found == "utf-16-le":
        return "utf-16-le"
    return "utf-16-be" if found == "utf-16-be" else "utf-8"
