"""Telephone numbers: international, labelled, and in the shapes of national plans."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import phonenumbers

from operators.pii.detector import Detector
from operators.pii.label_words import Label
from operators.pii.runs import Run, is_compact_date, is_date
from operators.pii.view import View

_MIN_DIGITS: Final = 7
_MAX_DIGITS: Final = 15  # ITU-T E.164
_USUAL_DIGITS: Final = 13
_MOST_IN_GROUP: Final = 8
#: Between the groups of one number; others, such as a colon or a comma, end it.
_GAP: Final = re.compile(r"[ ()./\-·_]{1,4}|[ ]?\n[ ]?|\t")
_PLUS: Final = re.compile(r"\+[ (]{0,2}[1-9]")
_DOUBLE_ZERO: Final = re.compile(r"00[ ]?[1-9]")
#: Lengths of national numbers that begin with a zero, the zero included.
_TRUNK: Final = range(9, 13)
#: Countries whose numbers begin with a zero at home, or with another mark that few other numbers have.
_HOME: Final = (
    *("GB", "DE", "FR", "NL", "KR", "JP", "IT", "AU", "CH"),
    *("AT", "BE", "SE", "TR", "ZA", "ID", "TH", "VN", "IL"),
)

#: Sizes of groups that telephone numbers have and few others, with what the number must begin with.
_SHAPES: Final[dict[tuple[int, ...], re.Pattern[str]]] = {
    (3, 3, 4): re.compile(r"[2-9]\d\d[2-9]\d{6}"),
    (1, 3, 3, 4): re.compile(r"1[2-9]\d\d[2-9]\d{6}|8[3489]\d{9}"),
    (1, 3, 3, 2, 2): re.compile(r"[78][3489]\d{9}"),
    (3, 3, 2, 2): re.compile(r"[3489]\d{9}"),
    (3, 4, 4): re.compile(r"1[3-9]\d{9}"),
    (2, 5, 4): re.compile(r"[1-9][1-9]9\d{8}"),
}


def phones(view: View) -> Iterator[tuple[int, int]]:
    """Telephone numbers, left to right."""
    for run in view.runs:
        for first, last in _stretches(run):
            if sum(run.sizes[first : last + 1]) < _MIN_DIGITS:
                continue
            label = None
            at = first
            while at <= last:
                if at == first or _begins_number(view.text, run, at):
                    label = label or view.label(run.groups[first][0])
                    stop = _phone_from(view, run, at, last, label)
                    if stop is not None:
                        yield _with_signs(view.text, run.groups[at][0], run.groups[stop][1])
                        at = stop
                at += 1


def _begins_number(text: str, run: Run, at: int) -> bool:
    """Whether a number may begin with a group that others precede: on a new line, or with a sign."""
    start = run.groups[at][0]
    return (
        text[start - 1] in "+(\n\t"
        or text.startswith("00", start)
        or "+" in run.gaps[at - 1]
        or "\n" in run.gaps[at - 1]
    )


def _stretches(run: Run) -> Iterator[tuple[int, int]]:
    """First and last group of each stretch without a date, a time or a sign that ends a number."""
    groups, first, at = run.groups, 0, 0
    while at < len(groups):
        length = _date_length(run, at)
        if length:
            if first < at:
                yield first, at - 1
            at += length
            first = at
            continue
        at += 1
        if at < len(groups) and not _GAP.fullmatch(run.gaps[at - 1]):
            yield first, at - 1
            first = at
    if first < len(groups):
        yield first, len(groups) - 1


def _date_length(run: Run, at: int) -> int:
    """Number of groups from `at` on that form a date or a time of day; 0 if none."""
    sizes, gaps = run.sizes, run.gaps
    if sizes[at] == 8 and is_compact_date(run.digits(at, at)):
        return 1
    if at + 1 < len(sizes) and gaps[at] == ":" and sizes[at] <= 2 and sizes[at + 1] == 2:
        return 3 if at + 2 < len(sizes) and gaps[at + 1] == ":" else 2
    whole = not at or not gaps[at - 1].strip()
    if whole and at + 2 < len(sizes) and gaps[at] == gaps[at + 1] and gaps[at + 2 : at + 3] != [gaps[at]]:
        numbers = [int(run.digits(n, n)) for n in range(at, at + 3)] if max(sizes[at : at + 3]) <= 4 else []
        if numbers and is_date(sizes[at : at + 3], numbers, gaps[at : at + 2]):
            return 3
    return 0


def _phone_from(view: View, run: Run, first: int, last: int, label: Label) -> int | None:
    """The last group of the number that begins with group `first`; None if there is no number."""
    start = run.groups[first][0]
    text = view.text
    last = min(last, first + _MAX_DIGITS)
    if _starts_international(text, start):
        return _international(run, first, last, "+")
    if _DOUBLE_ZERO.match(text, start) and not _is_glued(text, start):
        found = _international(run, first, last, "00")
        if found is not None:
            return found
    if (
        label in {"order", "id"}
        or (label != "phone" and not _may_have_shape(text, run, first))
        or _is_glued(text, start, labelled=label == "phone")
    ):
        return None
    last = _line_end(run, first, last)
    return _labelled(run, first, last) if label == "phone" else _shaped(view, run, first, last)


def _may_have_shape(text: str, run: Run, first: int) -> bool:
    """The first group is of a size that a number without a label may begin with."""
    return run.sizes[first] > 1 or text[run.groups[first][0]] in "0178"


def _starts_international(text: str, start: int) -> bool:
    """A plus sign before the number, and nothing that makes it a sum or part of a word."""
    sign = text.rfind("+", max(0, start - 3), start)
    if sign < 0 or not _PLUS.match(text, sign):
        return False
    before = text[sign - 1 : sign]
    return not (before.isascii() and (before.isdigit() or before in "+=^*/")) or not before


def _is_glued(text: str, start: int, *, labelled: bool = False) -> bool:
    """The number is the tail of an identifier, a decimal or a larger number; a label glued to it does not count."""
    before = text[max(0, start - 2) : start].rstrip("(")
    if not before:
        return False
    last = before[-1]
    if last.isascii() and (last.isalpha() or last == "_"):
        return not (last.islower() and before[0].isalpha())
    if last not in "-.,/":
        return last in "#$€£%\\@&"
    return before[0].isascii() and (before[0].isdigit() if labelled else len(before) > 1 and before[0].isalnum())


def _line_end(run: Run, first: int, last: int) -> int:
    """The last group of the line that group `first` stands in."""
    for at in range(first, last):
        if "\n" in run.gaps[at]:
            return at
    return last


def _international(run: Run, first: int, last: int, prefix: str) -> int | None:
    """The longest number that begins with group `first` and is valid in its country, else the longest possible one.

    Only lengths decide what is possible: numbering plans change.
    """
    possible = None
    line = _line_end(run, first, last)
    for stop in range(last, first - 1, -1):
        compact = run.digits(first, stop)
        compact = compact[2:] if prefix == "00" else compact
        if not _MIN_DIGITS <= len(compact) <= _MAX_DIGITS:
            continue
        validity = _validity(compact)
        if validity == 2 and (stop <= line or line == first):
            if run.sizes[stop] == 1 and stop > first and _validity(compact[:-1]) == 2:
                continue  # a number of variable length, and the next word's digit
            return stop
        if validity == 1 and possible is None and stop <= line and prefix == "+":
            possible = stop
    return possible


@lru_cache(maxsize=4096)
def _validity(compact: str) -> int:
    """0: no country has numbers of this length; 1: its country has; 2: the country's plan assigns it."""
    try:
        number = phonenumbers.parse(f"+{compact}")
    except phonenumbers.NumberParseException:
        return 0
    if not phonenumbers.is_possible_number(number):
        return 0
    return 2 if phonenumbers.is_valid_number(number) else 1


def _labelled(run: Run, first: int, last: int) -> int | None:
    """Seven to fifteen digits; what follows a complete number at a wide gap is another."""
    count = 0
    best = None
    for stop in range(first, last + 1):
        count += run.sizes[stop]
        usual = run.sizes[stop] <= _MOST_IN_GROUP and count <= _USUAL_DIGITS + (run.gaps[stop - 1 : stop] == ["-"])
        if count > _MAX_DIGITS or (best is not None and not usual):
            break
        if count >= _MIN_DIGITS:
            best = stop
    return best


def _shaped(view: View, run: Run, first: int, last: int) -> int | None:
    """A number without a label: an area in parentheses, a trunk zero, or the groups of a national plan."""
    text, sizes = view.text, run.sizes
    start = run.groups[first][0]
    if text[start - 1 : start] == "(" and run.sizes[first] > 1 and _has_area(text, run, first, last):
        return _labelled(run, first, last)
    if first and run.groups[first - 1][1] > start - 2 and text[run.groups[first - 1][1]] not in "\n\t":
        return None  # the middle of other numbers
    if text[start] == "0":
        return _with_trunk_zero(view, run, first, last)
    for shape, pattern in _SHAPES.items():
        stop = first + len(shape) - 1
        if stop > last or tuple(sizes[first : stop + 1]) != shape:
            continue
        alone = stop == last or run.gaps[stop] in {"\n", "\t"}
        if alone and pattern.fullmatch(run.digits(first, stop)) and not _ends_in_word(text, run.groups[stop][1]):
            return stop
    return None


def _has_area(text: str, run: Run, first: int, last: int) -> bool:
    """The first group in parentheses is an area code, and eight to twelve digits follow in all."""
    end = run.groups[first][1]
    size = run.sizes[first]
    if text[end : end + 1] != ")" or not 2 <= size <= 6 or first == last:
        return False
    outside = text[max(0, run.groups[first][0] - 2) : run.groups[first][0] - 1]
    year = size == 4 and text[run.groups[first][0] : end][:2] in {"19", "20"}
    count = sum(run.sizes[first : last + 1])
    return not outside.isalnum() and not year and min(count, 12) >= 8


def _with_trunk_zero(view: View, run: Run, first: int, last: int) -> int | None:
    for stop in range(min(last, first + 5), first - 1, -1):
        number = run.digits(first, stop)
        if len(number) in _TRUNK and not _ends_in_word(view.text, run.groups[stop][1]) and _is_national(number):
            gaps = run.gaps[first:stop]
            if all(len(gap.strip()) <= 1 for gap in gaps):
                return stop
    return None


def _ends_in_word(text: str, end: int) -> bool:
    after = text[end : end + 1]
    return after.isascii() and (after.isalpha() or after == "_")


@lru_cache(maxsize=4096)
def _is_national(number: str) -> bool:
    """Whether a country of `_HOME` assigns this number, its trunk zero included."""
    return any(pattern.fullmatch(number if keeps else number[1:]) for pattern, keeps in _plans())


@lru_cache(maxsize=1)
def _plans() -> list[tuple[re.Pattern[str], bool]]:
    """The national patterns of fixed and mobile lines, and whether the zero is part of the number, as in Italy."""
    plans = []
    for region in _HOME:
        data = phonenumbers.PhoneMetadata.metadata_for_region(region)
        if data is not None and data.mobile is not None and data.fixed_line is not None:
            both = f"{data.mobile.national_number_pattern}|{data.fixed_line.national_number_pattern}"
            plans.append((re.compile(both), data.national_prefix != "0"))
    return plans


def _with_signs(text: str, start: int, end: int) -> tuple[int, int]:
    """The span with its plus sign and a parenthesis that the number opens."""
    sign = re.search(r"[+(][ (+]{0,2}$", text[max(0, start - 3) : start])
    if sign is None:
        return start, end
    opened = start - len(sign.group())
    inside = text[opened:end]
    if inside.count("(") > inside.count(")") and inside.startswith("(") and "+" not in inside[:2]:
        opened += 1
    return opened, end


DETECTORS: Final = (Detector("PHONE", phones, min_digits=6),)
