"""A detector finds values of one kind in a folded text, in time linear in its length."""

from collections.abc import Callable, Iterator
from typing import Final, Literal

from msgspec import Struct

from operators.pii.view import View

Kind = Literal["EMAIL", "PHONE", "CARD", "IBAN", "NATIONAL_ID", "IP", "CREDENTIALS", "SECRET", "USER"]


class Span(Struct, frozen=True):
    """A piece of text [start, end) and its kind."""

    start: int
    end: int
    kind: Kind


class Detector(Struct, frozen=True):
    """Finds the values of one kind.

    Attributes:
        find: yields (start, end) of each value, in offsets of the view's text.
        needs: lower-case strings, one of which every match contains: a cheap filter. Empty: no such filter.
        also: the needs that only texts beyond ASCII can have.
        min_digits: how many digits, at most four characters apart, every match contains: 0, 4 or 6.
    """

    kind: Kind
    find: Callable[[View], Iterator[tuple[int, int]]]
    needs: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    min_digits: Literal[0, 4, 6] = 0


def words(text: str) -> frozenset[str]:
    """The words of a list that white space separates."""
    return frozenset(text.split())


ASCII_DIGITS: Final = frozenset("0123456789")


def digits(text: str) -> str:
    """The ASCII digits of `text`."""
    return text if text.isdecimal() else "".join(character for character in text if character in ASCII_DIGITS)
