"""Reads a file line by line, as text or as JSON, and names the file and line of a mistake."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

import msgspec

from core.errors import ConfigError

T = TypeVar("T")

_BOM: Final = b"\xef\xbb\xbf"
#: Far above a worker's limit for a record: a longer line means that the file is not JSONL or CSV.
MAX_LINE_BYTES: Final = 16 * 1024 * 1024


def numbered_lines(source: BinaryIO, name: str) -> Iterator[tuple[int, bytes]]:
    """Yield each line with its number, from 1. A byte order mark is removed.

    Raises:
        ConfigError: a line is longer than `MAX_LINE_BYTES`.
    """
    number = 0
    while line := source.readline(MAX_LINE_BYTES):
        number += 1
        if len(line) == MAX_LINE_BYTES:
            raise ConfigError(
                f"{name}:{number}: the line is longer than {MAX_LINE_BYTES:,} bytes, so this is neither JSONL nor CSV"
            )
        yield number, line.removeprefix(_BOM) if number == 1 else line


def text_lines(source: BinaryIO, name: str) -> Iterator[str]:
    """Yield each line as text.

    Raises:
        ConfigError: a line is too long or not UTF-8.
    """
    for number, line in numbered_lines(source, name):
        try:
            yield line.decode()
        except UnicodeDecodeError:
            raise ConfigError(f"{name}:{number}: not UTF-8; convert the file first, for example with iconv") from None


def json_lines(source: BinaryIO, name: str, decoder: msgspec.json.Decoder[T]) -> Iterator[tuple[int, bytes, T]]:
    """Yield each line that is not blank: its number, its bytes and its decoded value.

    Raises:
        ConfigError: a line is too long, not JSON, or not of the decoder's type.
    """
    for number, line in numbered_lines(source, name):
        content = line.strip()
        if not content:
            continue
        try:
            value = decoder.decode(content)
        except msgspec.ValidationError as error:
            raise ConfigError(f"{name}:{number}: {uncapitalised(error)}") from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ConfigError(f"{name}:{number}: the line is not a JSON object ({uncapitalised(error)})") from None
        yield number, content, value


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
    """The message with a lower-case first letter, to stand within another message."""
    message = str(error)
    return message[:1].lower() + message[1:]
