"""Lines of a body that arrives in pieces: server-sent events, or JSON lines."""

from collections.abc import Iterable, Iterator
from typing import Final

from core.language_model import ModelError

_MAX_LINE_BYTES: Final = 256 * 1024
_DATA: Final = b"data:"


def data_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The data of each event: the rest of a `data:` line, or a line of JSON. Other fields and comments are skipped.

    An event of several data lines, which no language model sends, counts as several. A last line without its end is
    skipped, because it may be incomplete.

    Raises:
        ModelError: a line is too long.
    """
    for line in _lines(chunks):
        if line.startswith(_DATA):
            yield line.removeprefix(_DATA).strip()
        elif line.startswith((b"{", b"[")):
            yield line


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    line = bytearray()
    for chunk in chunks:
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            yield bytes(line + end).strip()
            line.clear()
        line += rest
        if len(line) > _MAX_LINE_BYTES:
            raise ModelError(f"a line is longer than {_MAX_LINE_BYTES:,} bytes", kind="protocol")
