"""The words of a question, and the share of them that a passage holds."""

from collections.abc import Sequence
from typing import Final

from core.index import Candidate
from operators.terms import forms_of_word, passage_terms
from operators.tokens import pieces_of

#: Maximum words of a question; pasted text has more, and few of them matter.
_MOST: Final = 40

#: Maximum digits of a small number.
_SMALL: Final = 4

#: The terms of each form of a word.
Forms = frozenset[int]


def forms_of(text: str, languages: Sequence[str]) -> list[Forms]:
    """The forms of each word of a question, without stopwords."""
    pieces = dict.fromkeys(pieces_of(text)[:_MOST])
    return [forms for piece in pieces if (forms := forms_of_word(piece, *languages))]


def held_share(words: Sequence[Forms], candidate: Candidate) -> float:
    """Share of `words` that the passage or its subject holds in some form, 0 to 1; 0 without words."""
    if not words:
        return 0.0
    facts = candidate.facts
    held = passage_terms(f"{facts.subject}\n{candidate.passage}", facts.language).indices.tolist()
    return sum(not forms.isdisjoint(held) for forms in words) / len(words)


def is_small_number(text: str) -> bool:
    """Whether it is a number that many texts hold, such as a year, so that it identifies no ticket by itself."""
    return text.isdigit() and len(text) <= _SMALL
