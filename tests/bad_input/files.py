"""Generates valid and broken lines of JSONL and CSV files, with the expected result of each line."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from itertools import count as count_up
from itertools import islice
from random import Random
from typing import Final, Literal

from msgspec import Struct

from tests.bad_input.generator import records
from tests.bad_input.values import MARKS, PIECES
from tests.reading import key_in, parse

#: `either`: invalid JSON that a lenient parser may accept; the worker must reject it.
Verdict = Literal["blank", "taken", "refused", "either"]

#: One in `_KEPT_OF_LONG` long lines is kept, because they are slow and add no coverage.
_LONG_BYTES: Final = 5_000
_KEPT_OF_LONG: Final = 20


class Line(Struct, frozen=True):
    """A line or CSV row without its last line break. `key` is the record's key if the line is accepted."""

    content: bytes
    verdict: Verdict
    key: bytes | None = None

    @property
    def line_count(self) -> int:
        """Number of file lines that it spans."""
        return self.content.count(b"\n") + 1


def jsonl(count: int, *, seed: int) -> list[Line]:
    """Lines with the generator's records; a value with a line break becomes two lines."""
    long = count_up()
    contents = (content for record in records(2 * count, seed=seed) for content in (record.value or b"").split(b"\n"))
    kept = (content for content in contents if len(content) < _LONG_BYTES or next(long) % _KEPT_OF_LONG == 0)
    return [_judged(content) for content in islice(kept, count)]


def _judged(content: bytes) -> Line:
    """The line with its expected result, which depends on its ids only; the worker checks the rest."""
    event = content.strip()
    if not event:
        return Line(content, "blank")
    try:
        found = parse(event)
    except (ValueError, RecursionError):
        return Line(content, "either")
    key = key_in(found)
    return Line(content, "refused") if key is None else Line(content, "taken", key)


# --- CSV: the generator of a row determines its expected result

HEADER: Final = b"id;question;tenant;updated;version;tags;status\n"
MAPPING: Final = ("ticket_id=id", "body=question", "tenant_id=tenant", "updated_at=updated")
_WIDTH: Final = HEADER.count(b";") + 1

_SOUND: Final[dict[int, Sequence[str]]] = {
    1: (
        f"My card is {MARKS[2]}, write to {MARKS[1]}; {MARKS[0]}, password: {MARKS[4]}",
        'She said "no" twice',
        "two\nlines; and a half",
        "naïve café 😀",
        "",
    ),
    3: ("2026-01-05T08:00:00Z", "1767225600000", "2026-01-05", "2026-01-05T08:00:00+01:00", " 2026-01-05 08:00 ", ""),
    4: ("", "0", "1", "007", "9007199254740990", "2026-01-05T08:00:00Z"),
    5: ("", "vip,eu", "a|b", ",".join(["t"] * 100), ",".join(["t"] * 101)),  # the worker rejects the last
    6: ("open", "", "x" * 64),
}
_BAD: Final[dict[int, Sequence[str]]] = {
    0: ("", " ", "a\x01b", "\x7f", "x" * 129),
    2: ("", "a/b", "-acme", "a" * 65, "ácme", "acme corp"),
    3: (
        "yesterday",
        "2026-13-01",
        "2026-01-05T25:00",
        "0001-01-01T00:00:00+14:00",
        "-5",
        "253402300800000",
        "²",
        "1e9",
    ),
    4: ("-1", "9007199254740991", "1.5", "seven", "9" * 400, "9" * 5_000, "0x10"),
    5: ("y" * 65, "vip," + "y" * 65),
    6: ("x" * 65,),
}


def rows(count: int, *, seed: int) -> list[Line]:
    """Rows for a file that starts with `HEADER`, a ninth of them bad."""
    rng = Random(seed)
    return [rng.choice(_KINDS)(rng, number) for number in range(count)]


def _sound(rng: Random, number: int) -> Line:
    return Line(_row(_cells(rng, number)), "taken", b"acme/R-%d" % number)


def _hard(rng: Random, number: int) -> Line:
    """A valid row with a repetitive text."""
    cells = _cells(rng, number)
    cells[1] = rng.choice(PIECES) * rng.choice((1, 40, 400))
    return Line(_row(cells), "taken", b"acme/R-%d" % number)


def _bad_cell(rng: Random, number: int) -> Line:
    """A row with one invalid cell."""
    cells = _cells(rng, number)
    column = rng.choice(tuple(_BAD))
    cells[column] = rng.choice(_BAD[column])
    return Line(_row(cells), "refused")


def _bad_row(rng: Random, number: int) -> Line:
    """A row with a missing or surplus cell, invalid UTF-8, or a quote that ends inside its cell."""
    cells = _cells(rng, number)
    cells[1] = MARKS[0]
    row = _row(cells)
    return Line(
        rng.choice(
            (
                _row(cells[:-1]),
                _row([*cells, MARKS[1]]),
                row.replace(MARKS[0].encode(), b"\xff" + MARKS[0].encode()),
                row.replace(MARKS[0].encode(), b'"' + MARKS[0].encode() + b'"more'),
            )
        ),
        "refused",
    )


def _blank(_rng: Random, _number: int) -> Line:
    return Line(b"", "blank")


_KINDS: Final[tuple[Callable[[Random, int], Line], ...]] = (
    *[_sound] * 20, *[_hard] * 10, *[_bad_cell] * 3, _bad_row, _blank,
)  # fmt: skip


def _cells(rng: Random, number: int) -> list[str]:
    chosen = {column: rng.choice(values) for column, values in _SOUND.items()}
    return [f"R-{number}", chosen[1], "acme", *(chosen[column] for column in range(3, _WIDTH))]


def _row(cells: Sequence[str]) -> bytes:
    written = io.StringIO()
    csv.writer(written, delimiter=";", lineterminator="\r\n").writerow(cells)  # so that both are quoted within a cell
    return written.getvalue().removesuffix("\r\n").encode()


def numbered(lines: Sequence[Line], *, after: int) -> Iterator[tuple[int, Line]]:
    """Yield each line with the number of its last file line; `after` lines precede the first."""
    for line in lines:
        after += line.line_count
        yield after, line
