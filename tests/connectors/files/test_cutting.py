"""A growing file is cut into the lines of the whole file, however its bytes arrive."""

import io
import itertools
from collections.abc import Sequence

from hypothesis import example, given
from hypothesis import strategies as st

from connectors.files.cutting import Line, LineCutter
from connectors.files.lines import numbered_lines

_TEXTS = st.text(alphabet='a"\u00e4\U0001f600,\r\n', max_size=40)


def _cut(chunks: Sequence[bytes], *, max_bytes: int = 1_000, cr: bool = False) -> list[Line]:
    cutter, lines = LineCutter(max_bytes=max_bytes, may_end_in_cr=cr), []
    for chunk in chunks:
        cutter.feed(chunk)
        while (line := cutter.line()) is not None:
            lines.append(line)
    last = cutter.take_rest()
    return lines + ([] if last is None else [last])


def _chunks(data: bytes, places: Sequence[int]) -> list[bytes]:
    cuts = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[begin:end] for begin, end in itertools.pairwise(cuts)]


@example(text="\r\r", encoding="utf-8", places=[], cr=True)
@example(text="\r\r\nx", encoding="utf-8", places=[], cr=True)
@example(text="\r\rx", encoding="utf-8", places=[8], cr=True)
@given(
    text=_TEXTS,
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]),
    places=st.lists(st.integers(0, 200), max_size=8),
    cr=st.booleans(),
)
def test_lines_are_those_of_the_whole_file(text: str, encoding: str, places: list[int], cr: bool) -> None:
    """Numbers and contents are those of `numbered_lines`, and the raw bytes joined are the file."""
    data = ("id,text" + text).encode(encoding)
    lines = _cut(_chunks(data, places), cr=cr)
    assert b"".join(line.raw for line in lines) == data
    # UTF-16 with line ends of CR alone is read as one line.
    cr = cr and not encoding.startswith("utf-16")
    wanted = list(numbered_lines(io.BytesIO(data), "x", may_end_in_cr=cr))
    assert [(line.number, line.content) for line in lines] == wanted


def test_a_line_that_is_too_long_passes_in_pieces() -> None:
    """An overlong line passes in pieces without being buffered, and the lines around it are complete."""
    lines = _cut([b"a\n" + b"x" * 50, b"x" * 50, b"x\nb\n"], max_bytes=20)
    assert [(line.number, line.overlong, line.ended) for line in lines] == [
        (1, False, True),
        (2, True, False),
        (2, True, False),
        (2, True, True),
        (3, False, True),
    ]
    assert lines[1].content.startswith(b"xxx")
    assert lines[2].content == b""
    assert lines[4].content == b"b\n"


def test_an_overlong_line_of_utf16_keeps_its_parity() -> None:
    """Pieces of an overlong line in UTF-16 have whole characters, so its line end is found."""
    data = ("x" * 101 + "\n" + "b\n").encode("utf-16-le")
    lines = _cut([data[:33], data[33:77], data[77:]], max_bytes=20)
    assert lines[-1].content == b"b\n"
    assert b"".join(line.raw for line in lines) == data
