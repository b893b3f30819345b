"""Files read by line: numbers, marks, and one error line for each mistake."""

import io
from pathlib import Path
from typing import Final

import msgspec
import pytest

from connectors.files.lines import MAX_LINE_BYTES, json_lines, json_rows, numbered_lines, text_lines
from core.errors import ConfigError

_OBJECT: Final = msgspec.json.Decoder(dict[str, object])


def test_blank_lines_count_and_are_skipped(tmp_path: Path) -> None:
    """A byte order mark, carriage returns, blank lines and a missing last line break are accepted."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a":1}\r\n\n  \n{"a":2}')
    assert list(json_rows(path, _OBJECT, setting="X")) == [(1, {"a": 1}), (4, {"a": 2})]


def test_a_json_line_comes_with_its_bytes() -> None:
    """The bytes of a line are unchanged except for the white space around them."""
    assert list(json_lines(io.BytesIO(b' {"a":  1}\n'), "f", _OBJECT)) == [(1, b'{"a":  1}', {"a": 1})]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"{", "the line is not a JSON object (input data was truncated)"),
        (b"a,b", "the line is not a JSON object"),
        (b'{"a":' + b"[" * 100_000, "the line is not a JSON object"),
        (b"[1]", "expected `object`, got `array`"),
        (b'{"a":"\xff"}', "utf-8"),
    ],
)
def test_a_malformed_line_is_named(line: bytes, words: str) -> None:
    """The error gives the file and line, after the lines before it were yielded."""
    lines = json_lines(io.BytesIO(b'{"a":1}\n' + line + b"\n"), "rows.jsonl", _OBJECT)
    next(lines)
    with pytest.raises(ConfigError) as caught:
        next(lines)
    assert str(caught.value).startswith("rows.jsonl:2: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_text_that_is_not_utf_8_is_named() -> None:
    """The error says how to convert the file."""
    with pytest.raises(ConfigError, match=r"^f:2: byte 0xe9 is not UTF-8; save the file as CSV UTF-8"):
        list(text_lines(io.BytesIO(b"a\n\xe9\n"), "f"))


def test_a_file_without_lines_is_not_read_into_memory() -> None:
    """Reading stops at the longest line that is allowed."""
    source = io.BytesIO(b" " * (2 * MAX_LINE_BYTES))
    with pytest.raises(ConfigError, match=r"^f:1: the line is longer than 16,777,216 bytes"):
        list(numbered_lines(source, "f"))
    assert source.tell() == MAX_LINE_BYTES


@pytest.mark.parametrize("path", [Path("/no/such/file"), Path("/")])
def test_a_file_that_cannot_be_read_names_its_setting(path: Path) -> None:
    """A missing file, or a folder, is an error with the variable and the path."""
    with pytest.raises(ConfigError, match=rf"^TICKETS_X: can't read {path}: \w+"):
        list(json_rows(path, _OBJECT, setting="TICKETS_X"))
