"""Groups of digits, and runs of groups that a reader may take for one number."""

import re
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from typing import Final

_GROUP: Final = re.compile(r"[0-9]+")
#: Separators between the groups of one number: at most four characters, none of them a letter.
_GAP: Final = re.compile(r"[ \t\n().,/\\_\-·:|*~+]{1,4}")
_DATE_SEPARATORS: Final = frozenset("-./")


class Run:
    """Groups of digits, each near the next.

    Attributes:
        groups: (start, end) of each group.
        gaps: the text between two groups; one fewer than groups.
    """

    def __init__(self, text: str, groups: list[tuple[int, int]]) -> None:
        self.text = text
        self.groups = groups

    @cached_property
    def gaps(self) -> list[str]:
        """The text between two neighbouring groups."""
        return [self.text[left[1] : right[0]] for left, right in pairwise(self.groups)]

    @cached_property
    def sizes(self) -> list[int]:
        """Digits in each group."""
        return [end - start for start, end in self.groups]

    def digits(self, first: int, last: int) -> str:
        """The digits of the groups from `first` to `last`, both included."""
        return "".join([self.text[start:end] for start, end in self.groups[first : last + 1]])


def runs_of(text: str, min_digits: int) -> Iterator[Run]:
    """Runs with at least `min_digits` digits."""
    groups: list[tuple[int, int]] = []
    count = 0
    for match in _GROUP.finditer(text):
        start, end = match.span()
        if groups and not (start - groups[-1][1] <= 4 and _GAP.fullmatch(text, groups[-1][1], start)):
            if count >= min_digits:
                yield Run(text, groups)
            groups, count = [], 0
        groups.append((start, end))
        count += end - start
    if count >= min_digits:
        yield Run(text, groups)


def is_date(sizes: list[int], numbers: list[int], separators: list[str]) -> bool:
    """Whether three groups are a day, a month and a year, in any order that people use, with one separator."""
    if separators[0] != separators[1] or separators[0] not in _DATE_SEPARATORS:
        return False
    if sizes[0] == 4:
        year, month, day = numbers
    elif sizes[2] in {2, 4}:
        day, month, year = numbers
    else:
        return False
    if max(sizes[1], sizes[2] if sizes[0] == 4 else sizes[0]) > 2 or (4 in sizes and not 1900 <= year <= 2100):
        return False
    return 1 <= month <= 31 and 1 <= day <= 31 and min(month, day) <= 12


def is_compact_date(number: str) -> bool:
    """Eight digits that read as year, month and day."""
    return (
        len(number) == 8 and number[:2] in {"19", "20"} and 1 <= int(number[4:6]) <= 12 and 1 <= int(number[6:]) <= 31
    )
