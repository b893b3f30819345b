"""A text with the values planted in it."""

import re
from collections.abc import Callable, Iterator
from random import Random
from typing import Final

from msgspec import Struct

#: Kind, name, and what makes a text in which « and » mark the values.
Form = tuple[str, str, Callable[[Random], str]]

_MARKED: Final = re.compile("«(.*?)»", re.DOTALL)


class Labelled(Struct, frozen=True):
    """A text and the spans [start, end) planted in it, with their kinds.

    Attributes:
        script: the script of the sentence.
        manner: ordinary, or deliberate for a value that somebody disguised.
        form: in which way the value is hard to find, where one is meant.
    """

    text: str
    spans: tuple[tuple[int, int, str], ...]
    script: str = "Latin"
    manner: str = "ordinary"
    form: str = ""


def formed(forms: tuple[Form, ...], count: int, seed: int, manner: str) -> Iterator[Labelled]:
    """`count` texts: each form in turn."""
    rng = Random(seed)  # noqa: S311 - made-up data
    for number in range(count):
        kind, form, make = forms[number % len(forms)]
        marked = make(rng)
        spans, text, at = [], "", 0
        for match in _MARKED.finditer(marked):
            text += marked[at : match.start()]
            spans.append((len(text), len(text) + len(match.group(1)), kind))
            text += match.group(1)
            at = match.end()
        yield Labelled(text + marked[at:], tuple(spans), manner=manner, form=form)
