"""Reads a file line by line, as text or as JSON, and names the file and line of a mistake.

Files are in UTF-8 or UTF-16, with or without a byte order mark.
"""

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

import msgspec

from core.errors import ConfigError
from core.json_escapes import replace_half_surrogates

T = TypeVar("T")

BOM: Final = b"\xef\xbb\xbf"
#: Far above a worker's limit for a record: a file with a longer line is not JSONL or CSV.
MAX_LINE_BYTES: Final = 16 * 1024 * 1024
#: The end of a carriage return that no line feed follows.
_AFTER_CR: Final = re.compile(rb"(?<=\r)(?!\n)")


class LineError(Exception):
    """A line or a row can't be used. Its text may quote a value, for the owner of the file.

    Attributes:
        code: a short name of the kind of fault, as it labels dead letters.
        reason: the fault in one sentence that quotes nothing.
    """

    def __init__(self, code: str, reason: str, *, quoting: str | None = None) -> None:
        super().__init__(quoting or reason)
        self.code = code
        self.reason = reason


def numbered_lines(source: BinaryIO, name: str, *, may_end_in_cr: bool = False) -> Iterator[tuple[int, bytes]]:
    """Yield each line with its number, from 1, in UTF-8. A byte order mark is removed.

    With `may_end_in_cr`, a carriage return inside the first line means that every line ends in one, as in files that a
    spreadsheet saves for a Mac.

    Raises:
        ConfigError: a line is longer than `MAX_LINE_BYTES`.
    """
    lines = iter(lambda: source.readline(MAX_LINE_BYTES), b"")
    first = next(lines, b"")
    if encoding := utf16(first):
        lines = _from_utf16(chain([first], lines), encoding)
        first = next(lines, b"")
    first = first.removeprefix(BOM)
    lines = chain([first] if first else [], lines)
    if may_end_in_cr and b"\r" in first.rstrip(b"\r\n"):
        lines = _cut_after_cr(lines)
    for number, line in enumerate(lines, start=1):
        if len(line) >= MAX_LINE_BYTES:
            raise ConfigError(
                f"{name}:{number}: the line is longer than {MAX_LINE_BYTES:,} bytes, so this is neither JSONL nor CSV"
            )
        yield number, line


def text_lines(source: BinaryIO, name: str) -> Iterator[str]:
    """Yield each line as text. Lines may end in a carriage return alone.

    Raises:
        ConfigError: a line is too long, or the file is neither UTF-8 nor UTF-16.
    """
    for number, line in numbered_lines(source, name, may_end_in_cr=True):
        try:
            yield line.decode()
        except UnicodeDecodeError as error:
            raise ConfigError(
                f"{name}:{number}: byte 0x{line[error.start]:02x} is not UTF-8; save the file as CSV UTF-8, or convert "
                "it first: iconv -f WINDOWS-1252 -t UTF-8"
            ) from None


def json_lines(source: BinaryIO, name: str, decoder: msgspec.json.Decoder[T]) -> Iterator[tuple[int, bytes, T]]:
    """Yield each line that is not blank: its number, its bytes and its decoded value.

    Half a surrogate pair in an escape is decoded as U+FFFD.

    Raises:
        ConfigError: a line is too long, not JSON, or not of the decoder's type.
    """
    for number, line in numbered_lines(source, name):
        content = line.strip()
        if content:
            try:
                value = decode_line(content, decoder)
            except LineError as error:
                raise ConfigError(f"{name}:{number}: {error}") from None
            yield number, content, value


def decode_line(content: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """The value of a line of JSON. Half a surrogate pair in an escape is decoded as U+FFFD.

    Raises:
        LineError: the line is not JSON (`bad_json`), or not of the decoder's type (`bad_field`).
    """
    try:
        return _decode(content, decoder)
    except msgspec.ValidationError as error:
        hint = "; write one object per line, for example with jq -c '.[]'" if content.startswith(b"[") else ""
        raise LineError("bad_field", f"{uncapitalised(error)}{hint}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LineError("bad_json", f"the line is not a JSON object ({uncapitalised(error)})") from None


def json_rows(path: Path, decoder: msgspec.json.Decoder[T], *, setting: str) -> Iterator[tuple[int, T]]:
    """Yield the number and the decoded value of each line of a file.

    Args:
        path: the file.
        decoder: decodes a line.
        setting: the variable that names the file, for the error.

    Raises:
        ConfigError: the file can't be read, or a line is malformed.
    """
    try:
        with path.open("rb") as source:
            for number, _line, value in json_lines(source, str(path), decoder):
                yield number, value
    except OSError as error:
        raise ConfigError(f"{setting}: can't read {path}: {(error.strerror or '').lower()}") from None


def uncapitalised(error: Exception) -> str:
    """The message with a lower-case first letter, for use within another message."""
    message = str(error)
    return message[:1].lower() + message[1:]


def _decode(content: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(content)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        whole = replace_half_surrogates(content)
        if whole is None:
            raise
        return decoder.decode(whole)


def utf16(first: bytes) -> str | None:
    """The encoding that a byte order mark, or a zero in every other byte, shows."""
    if first.startswith(codecs.BOM_UTF16_LE) or (first[1:2] == first[3:4] == b"\0" != first[:1]):
        return "utf-16-le"
    if first.startswith(codecs.BOM_UTF16_BE) or (first[:1] == first[2:3] == b"\0" != first[1:2]):
        return "utf-16-be"
    return None


def _from_utf16(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Convert UTF-16 to lines of UTF-8. A chunk ends after a byte 0x0A, so a character may span two chunks.

    Half a surrogate pair becomes U+FFFD.
    """
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    pieces: list[str] = []
    size = 0
    for chunk in chunks:
        text = decoder.decode(chunk)
        while end := text.find("\n") + 1:
            yield "".join([*pieces, text[:end]]).encode()
            pieces, size, text = [], 0, text[end:]
        pieces.append(text)
        size += len(text)
        if size >= MAX_LINE_BYTES:
            break
    if rest := "".join([*pieces, decoder.decode(b"", final=True)]):
        yield rest.encode()


def _cut_after_cr(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = _AFTER_CR.split(rest + chunk)
        yield from whole
        if rest.endswith(b"\n") or len(rest) >= MAX_LINE_BYTES:
            yield rest
            rest = b""
    if rest:
        yield rest
