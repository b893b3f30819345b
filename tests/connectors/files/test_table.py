"""The same table is read from the export formats of common programs."""

import io
from typing import Final

import pytest

from connectors.files.table import read_table
from core.errors import ConfigError

_WANTED: Final = (["id", "text"], [["1", "Größe 😀"], ["2", "a, b; c"]])

_PLAIN: Final = 'id,text\n1,Größe 😀\n2,"a, b; c"\n'
_QUOTED: Final = '"id","text"\r\n"1","Größe 😀"\r\n"2","a, b; c"\r\n'
_SEMICOLONS: Final = 'id;text\r\n1;Größe 😀\r\n2;"a, b; c"\r\n'

#: Program, and the bytes it writes.
FILES: Final = {
    "a database": _PLAIN.encode(),
    "Export-Csv": _QUOTED.encode("utf-8-sig"),
    "Export-Csv of Windows PowerShell": _QUOTED.encode("utf-16"),
    "Excel, CSV UTF-8": _SEMICOLONS.encode("utf-8-sig"),
    "Excel, Unicode text": _QUOTED.replace('","', '"\t"').encode("utf-16-le").join([b"\xff\xfe", b""]),
    "big endian": b"\xfe\xff" + _PLAIN.encode("utf-16-be"),
    "UTF-16 without a mark": _PLAIN.encode("utf-16-le"),
    "UTF-16 without a mark, big endian": _PLAIN.encode("utf-16-be"),
    "a Mac": _PLAIN.replace("\n", "\r").encode(),
    "a Mac, quoted": _QUOTED.replace("\r\n", "\r").encode(),
    "no last line break": _PLAIN.rstrip().encode(),
    "sep=": f"sep=;\r\n{_SEMICOLONS}".encode("utf-8-sig"),
    "sep= of another sign": "SEP=^\nid^text\n1^Größe 😀\n2^a, b; c\n".encode(),
    "sep= in quotes": f'"sep=;"\n{_SEMICOLONS}'.encode(),
    "sep= against the most frequent": "sep=|\nid|text\n1|Größe 😀\n2|a, b; c\n".encode(),
    "trailing delimiters": 'id,text,\n1,Größe 😀,\n2,"a, b; c",,\n'.encode(),
    "trailing delimiters in rows only": 'id,text\n1,Größe 😀,,\n2,"a, b; c",\n'.encode(),
    "a header alone with trailing delimiters": 'id,text,,\n1,Größe 😀\n2,"a, b; c"\n'.encode(),
    "empty lines": f"\n \n{_PLAIN}\n\n,\n  \n".encode(),
    "spaces before quotes": '"id", "text"\n"1", "Größe 😀"\n"2", "a, b; c"\n'.encode(),
}


def _read(content: bytes) -> tuple[list[str], list[list[str]]]:
    header, rows = read_table(io.BytesIO(content), "rows.csv")
    return header, [row[: len(header)] for _, row in rows]


@pytest.mark.parametrize("program", FILES)
def test_a_table_is_the_same_from_every_program(program: str) -> None:
    """The table doesn't depend on byte order mark, encoding, line breaks, quotes or delimiter."""
    assert _read(FILES[program]) == _WANTED


def test_a_delimiter_inside_a_quoted_name_does_not_count() -> None:
    """`"Name; first; last"` names one column."""
    assert _read(b'id,"Name; first; last",text\n1,x,y\n') == (["id", "Name; first; last", "text"], [["1", "x", "y"]])


def test_a_quoted_name_may_hold_a_line_break() -> None:
    """A header may span several lines, and line numbers in errors count them."""
    header, rows = read_table(io.BytesIO(b'id,"the\ntext"\n1,"a\r\nb"\n2\n'), "rows.csv")
    assert header == ["id", "the\ntext"]
    assert next(rows) == (4, ["1", "a\r\nb"])
    with pytest.raises(ConfigError, match=r"^rows.csv:5: the row has 1 values, but the header has 2"):
        next(rows)


def test_lines_before_the_header_are_counted() -> None:
    """Line numbers in errors count the `sep=` line and empty lines before the header."""
    _, rows = read_table(io.BytesIO(b"\nsep=;\nid;text\n1\n"), "rows.csv")
    with pytest.raises(ConfigError, match=r"^rows.csv:4: the row has 1 values"):
        next(rows)


def test_a_column_of_one_name_is_a_table() -> None:
    """A header without a delimiter, as of `SELECT body`, is one column."""
    assert _read(b"text\nx\n") == (["text"], [["x"]])


def test_half_a_character_of_utf16_is_replaced() -> None:
    """A lone surrogate becomes U+FFFD, and the rest of the file is read."""
    assert _read(b"\xff\xfe" + "id\nx".encode("utf-16-le") + b"\x3d\xd8\n\0") == (["id"], [["x\ufffd"]])


def test_a_line_feed_byte_inside_a_character_of_utf16_ends_no_line() -> None:
    """Characters that contain the byte 0x0A, such as U+0A0A and U+010A, don't end a line."""
    assert _read("id\nਊĊx\n".encode("utf-16")) == (["id"], [["ਊĊx"]])
