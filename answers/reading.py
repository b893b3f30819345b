"""Parses the claim of a sentence: content words, exact tokens, negations and conditions, clause by clause."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from msgspec import Struct

from answers.lexicon import (
    CONJUNCTIONS,
    MODALS,
    NEGATION_MARKS,
    ORDERING,
    PRONOUNS,
    condition_of,
    negations,
    number_of,
    same,
    unit_of,
)
from operators.stopwords import STOPWORDS
from operators.terms import bare, stem

_DASHES: Final = dict.fromkeys(map(ord, "‐‑‒–—−"), "-") | dict.fromkeys(map(ord, "’‘`´"), "'")  # noqa: RUF001
_ARROWS: Final = re.compile(r"\s*(?:->|=>|→|›|»|>)\s*")  # noqa: RUF001 - between the steps of a menu
_THOUSANDS: Final = re.compile(r"(?<=\d)[,'](?=\d{3}(?!\d))")
_CLAUSE_ENDS: Final = re.compile(r"[,;:()!?]|\s-+\s|\.(?=\s|$)|\u2026")
_UNITS: Final = re.compile(r"(?<=\d)\s*(?=[%€$£])|(?<=[€$£])\s*(?=\d)")
_OUTER: Final = ".,;:!?\"'“”„«»()*{}<>|"
#: Characters inside a token that make it an address, a path, a version or a code.
_EXACT: Final = re.compile(r"[\d/\\@_=#+&~$%€£]|\w\.\w|:\w|[a-z][A-Z]|^[A-Z]{2,}$|^\[.+\]$|^[A-Z]{2,}s$")
_APOSTROPHE: Final = re.compile(r"^(.{2,})'(?:s|re|ve|ll|d|m)$")
_ELISION: Final = re.compile(r"^(?:[cdjlmnst]|qu|dell|nell|all|sull|un)'(?=\w)", re.IGNORECASE)
_CONTRACTED: Final = re.compile(r"^(?:can't|won't|\w+n't|ain't|cannot)$")
#: Scripts without spaces become pairs of characters.
_UNSPACED: Final = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
_CACHED: Final = 8_192


class Clause(Struct, frozen=True):
    """A clause of a sentence.

    Attributes:
        content: stems of its content words and its exact tokens.
        negations: number of negations.
    """

    content: tuple[str, ...]
    negations: int


class Reading(Struct, frozen=True):
    """The claim of a sentence.

    Attributes:
        plain: the sentence folded, on one line, with `>` between the steps of a menu.
        forms: all its words, folded.
        content: stems of its content words and its exact tokens, in order.
        exact: numbers, codes, versions, addresses, paths, acronyms and placeholders, folded, in order.
        names: stems of its capitalised words, except the first of a clause.
        paths: menus, such as `settings>date`.
        conditions: classes of its conditions, sorted.
        refers: it has a pronoun, which stands for a word of an earlier sentence.
        ordered: a word such as "before" makes the order of the others matter.
    """

    plain: str
    forms: frozenset[str]
    content: tuple[str, ...]
    exact: tuple[str, ...]
    names: tuple[str, ...]
    paths: tuple[str, ...]
    conditions: tuple[str, ...]
    refers: bool
    ordered: bool
    clauses: tuple[Clause, ...]


@lru_cache(maxsize=_CACHED)
def read(sentence: str, language: str | None) -> Reading:
    """Read a sentence in a language, given by its ISO 639-1 code."""
    text = normalised(sentence)
    reader = _Reader(language)
    for piece in _CLAUSE_ENDS.split(_ARROWS.sub(" > ", _UNITS.sub(" ", text))):
        reader.read_clause(piece)
    return reader.reading(text)


def normalised(text: str) -> str:
    """`text` in NFKC on one line, with one kind of dash and apostrophe, and numbers without thousands separators."""
    text = unicodedata.normalize("NFKC", text).translate(_DASHES)
    return _THOUSANDS.sub("", " ".join(text.split()))


def _fold(text: str) -> str:
    return bare(text.casefold())


_PATHS: Final = re.compile(r"[^\s>,;:()]{1,80}(?: > [^\s>,;:()]{1,80})+")


class _Reader:
    """Collects the words of one sentence."""

    def __init__(self, language: str | None) -> None:
        self._language = language
        self._negations = negations(language)
        self._stopwords = STOPWORDS.get(language or "en", STOPWORDS["en"])
        self._forms: set[str] = set()
        self._content: list[str] = []
        self._exact: list[str] = []
        self._names: list[str] = []
        self._conditions: list[str] = []
        self._clauses: list[Clause] = []
        self._own: list[str] = []
        self._negated = 0

    def read_clause(self, text: str) -> None:
        """Read a clause, up to punctuation; a conjunction divides it further."""
        first = True
        for raw in text.split():
            word = raw if raw.startswith("[") and raw.endswith("]") else raw.strip(_OUTER).removesuffix("]")
            word = word.lstrip("[") if not word.endswith("]") and not raw.startswith("[") else word
            if word:
                self._read_word(word, first=first)
                first = False
        self._end_clause()

    def reading(self, text: str) -> Reading:
        """The reading of `text`."""
        folded = _fold(text)
        marks = sum(folded.count(mark) for mark in NEGATION_MARKS) if _UNSPACED.search(folded) else 0
        if marks:
            self._clauses = [Clause(tuple(self._content), marks)]
        arrows = _ARROWS.sub(" > ", text)
        return Reading(
            plain=_ARROWS.sub(">", folded),
            forms=frozenset(self._forms),
            content=tuple(self._content),
            exact=tuple(self._exact),
            names=tuple(self._names),
            paths=tuple(_fold(_ARROWS.sub(">", path.strip(_OUTER))) for path in _PATHS.findall(arrows)),
            conditions=tuple(sorted(set(self._conditions))),
            refers=not PRONOUNS.isdisjoint(self._forms),
            ordered=not ORDERING.isdisjoint(self._forms),
            clauses=tuple(self._clauses),
        )

    def _end_clause(self) -> None:
        if self._own or self._negated:
            self._clauses.append(Clause(tuple(self._own), self._negated))
        self._own, self._negated = [], 0

    def _read_word(self, word: str, *, first: bool) -> None:
        folded = _fold(word)
        self._forms.add(folded)
        if folded in CONJUNCTIONS and not word.isupper():
            self._end_clause()
            return
        if folded in self._negations or _CONTRACTED.match(folded):
            self._negated += 1
            return
        condition = condition_of(folded, self._language)
        if condition is not None:
            self._conditions.append(condition)
            return
        exact = number_of(folded, self._language) or unit_of(folded, self._language)
        if exact is not None or _EXACT.search(word):
            self._add_exact(exact or folded)
            return
        for part in self._parts(word):
            self._add_word(part, name=not first and part[:1].isupper())

    def _parts(self, word: str) -> list[str]:
        """A word without its apostrophe; the parts of one with a hyphen, and of a script without spaces."""
        word = _ELISION.sub("", word)
        owner = _APOSTROPHE.match(word)
        word = word if owner is None else owner.group(1)
        if _UNSPACED.search(word):
            return [
                run[at : at + 2]
                for run in re.split(r"[^\w]+", word)
                for at in range(max(1, len(run) - 1))
                if run[at : at + 2]
            ]
        return [part for part in word.split("-") if part]

    def _add_exact(self, token: str) -> None:
        self._exact.append(token)
        self._content.append(token)
        self._own.append(token)

    def _add_word(self, word: str, *, name: bool) -> None:
        folded = _fold(word)
        self._forms.add(folded)
        lower = word.casefold()
        if lower in self._stopwords or folded in self._stopwords or folded in MODALS or len(folded) == 1:
            return
        own = same(folded, stem(lower, self._language))
        if name:
            self._names.append(own)
        self._content.append(own)
        self._own.append(own)
