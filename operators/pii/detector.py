"""What a detector is: a pattern of bounded cost for candidates, and a check that decides."""

import re
from collections.abc import Callable, Iterator
from typing import Literal

from msgspec import Struct

Kind = Literal["EMAIL", "PHONE", "CARD", "IBAN", "NATIONAL_ID", "IP", "CREDENTIALS", "SECRET"]


class Span(Struct, frozen=True):
    """A piece of text [start, end) and what it is."""

    start: int
    end: int
    kind: Kind


class Detector(Struct, frozen=True):
    """Finds candidates by `pattern` and keeps those that `check` accepts.

    Attributes:
        needs: lower-case strings, one of which must occur for a match to be possible: a cheap way out.
        min_digits: a match has at least so many digits, close together: 0, 4 or 6.
        group: the group that is the finding; the rest is context.
        check: given the match, says whether it is one.
    """

    kind: Kind
    pattern: re.Pattern[str]
    needs: tuple[str, ...] = ()
    min_digits: Literal[0, 4, 6] = 0
    group: int = 0
    check: Callable[[re.Match[str]], bool] = lambda _match: True

    def find(self, text: str) -> Iterator[Span]:
        """Every finding in `text`, left to right."""
        for match in self.pattern.finditer(text):
            if self.check(match):
                yield Span(match.start(self.group), match.end(self.group), self.kind)


def digits(text: str) -> str:
    """The ASCII digits of `text`."""
    return "".join(character for character in text if "0" <= character <= "9")
