"""Parses the claim of a sentence: content words, exact tokens, negations and conditions, clause by clause."""

import re
from functools import lru_cache
from typing import Final

from msgspec import Struct

from answers.lexicon import (
    CAUSES,
    CONJUNCTIONS,
    MODALS,
    NEEDS,
    NEGATION_MARKS,
    ORDERING,
    PRONOUNS,
    REFERRING,
    SEQUENCE,
    TO,
    averts,
    condition_of,
    negations,
    same,
)
from answers.quantities import CURRENCIES, bounded, exact_of, joined, normalised, with_comparisons, without_ordinals
from answers.sentences import OUTER, unwrapped
from operators.stopwords import STOPWORDS
from operators.terms import bare, stem

_ARROWS: Final = re.compile(r"\s*(?:->|=>|→|›|»|>)\s*")  # noqa: RUF001 - between the steps of a menu
#: A colon in a time, behind a host or a drive's letter ends nothing.
_CLAUSE_ENDS: Final = re.compile(r"[,;()!?،؛؟]|(?<![0-9A-Za-z]):|:(?![0-9/\\])|\s-+\s|\.(?=\s|$)|\u2026")
_UNITS: Final = re.compile(r"(?<=\d)\s*(?=[%€$£])|(?<=[€$£])\s*(?=\d)")
#: Characters inside a token that make it an address, a path, a version or a code.
_EXACT: Final = re.compile(r"[\d/\\@_=#+&~$%€£*]|\w\.\w|:\w|[a-z][A-Z]|^[A-Z]{2,}$|^\[.+\]$|^[A-Z]{2,}s$")
_APOSTROPHE: Final = re.compile(r"^(.{2,})'(?:s|re|ve|ll|d|m)$")
_ELISION: Final = re.compile(r"^(?:[cdjlmnst]|qu|dell|nell|all|sull|un)'(?=\w)", re.IGNORECASE)
#: An option of a command, a path or a URL, whose case matters.
_OPTION: Final = re.compile(r"-[A-Za-z]{1,3}$|--[A-Za-z]|~?/\w|\.{1,2}/|.*(?:\\\w|://)")
#: Prefixes with a hyphen that change the meaning of the word behind it.
_PREFIXES: Final = ("non-", "anti-", "un-", "pre-", "post-", "nicht-", "de-", "dis-", "mis-")
_SUFFIXES: Final = ("-free", "-less", "-proof", "-frei", "-los")
_CONTRACTED: Final = re.compile(r"^(?:can't|won't|\w+n't|ain't|cannot)$")
_CARELESS: Final = re.compile(r"^(?:do|does|did|is|are|was|were|ca|could|should|would|has|have|had|must|need)nt$")
#: Scripts without spaces become pairs of characters.
_UNSPACED: Final = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
_CACHED: Final = 8_192


class Clause(Struct, frozen=True):
    """A clause of a sentence.

    Attributes:
        content: stems of its content words and its exact tokens.
        negations: number of negations.
        averts: it says that something is to be avoided, or fails to happen.
        refers: it has a word that stands for a noun of another clause.
        forms: all its words, folded.
        guarded: it is a condition.
    """

    content: tuple[str, ...]
    negations: int
    averts: bool = False
    refers: bool = False
    forms: frozenset[str] = frozenset()
    guarded: bool = False


class Reading(Struct, frozen=True):
    """The claim of a sentence.

    Attributes:
        plain: the sentence folded, on one line, with `>` between the steps of a menu.
        forms: all its words, folded.
        content: stems of its content words and its exact tokens, in order.
        exact: quantities, codes, versions, addresses, paths, acronyms and placeholders, folded, in order.
        names: stems of its capitalised words, except the first of a clause.
        openers: places in `content` of the capitalised words that begin a clause, which may be names.
        paths: menus, such as `settings>date`.
        conditions: classes of its conditions, sorted.
        scopes: operators with words that they are about: "if", "because", "only", "to", and in English "not".
        refers: it has a pronoun, which stands for a word of an earlier sentence.
        ordered: a word such as "before" makes the order of the others matter.
        steps: a word such as "then" does so, also between sentences.
    """

    plain: str
    forms: frozenset[str]
    content: tuple[str, ...]
    exact: tuple[str, ...]
    names: tuple[str, ...]
    openers: tuple[int, ...]
    paths: tuple[str, ...]
    conditions: tuple[str, ...]
    scopes: frozenset[tuple[str, str]]
    refers: bool
    ordered: bool
    steps: bool
    clauses: tuple[Clause, ...]


@lru_cache(maxsize=_CACHED)
def read(sentence: str, language: str | None) -> Reading:
    """Read a sentence in a language, given by its ISO 639-1 code."""
    text = without_ordinals(normalised(sentence))
    reader = _Reader(language)
    for piece in _CLAUSE_ENDS.split(_ARROWS.sub(" > ", _UNITS.sub(" ", with_comparisons(text)))):
        reader.read_clause(piece)
    return reader.reading(text)


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
        self._openers: list[int] = []
        self._conditions: list[str] = []
        self._scopes: set[tuple[str, str]] = set()
        self._clauses: list[Clause] = []
        self._own: list[str] = []
        self._negated = 0
        self._ne = False
        self._averts = False
        self._here: set[str] = set()
        #: Operators that wait for their word, the condition of the clause, and its words.
        self._waiting: list[str] = []
        self._guard = ""
        #: The exact token of the word before, if it is one, and the last three words.
        self._before = ""
        self._heard: tuple[str, ...] = ()

    def read_clause(self, text: str) -> None:
        """Read a clause, up to punctuation; a conjunction divides it further."""
        words = [word for raw in text.split() if (word := unwrapped(raw))]
        self._before, self._heard = "", ()
        for at, word in enumerate(words):
            is_month = word == "May" and (at > 0 or any(following[0].isdigit() for following in words[1:2]))
            self._read_word(word, first=at == 0, is_month=is_month)
        self._end_clause()

    def reading(self, text: str) -> Reading:
        """The reading of `text`."""
        folded = _fold(text)
        marks = sum(folded.count(mark) for mark in NEGATION_MARKS) if _UNSPACED.search(folded) else 0
        if marks:
            self._clauses = [Clause(tuple(self._content), marks, refers=True)]
        arrows = _ARROWS.sub(" > ", text)
        return Reading(
            plain=_ARROWS.sub(">", folded),
            forms=frozenset(self._forms),
            content=tuple(self._content),
            exact=tuple(self._exact),
            names=tuple(self._names),
            openers=tuple(self._openers),
            paths=tuple(_fold(_ARROWS.sub(">", path.strip(OUTER))) for path in _PATHS.findall(arrows)),
            conditions=tuple(sorted(set(self._conditions))),
            scopes=frozenset(self._scopes),
            refers=not PRONOUNS.isdisjoint(self._forms),
            ordered=not ORDERING.isdisjoint(self._forms),
            steps=not SEQUENCE.isdisjoint(self._forms),
            clauses=tuple(self._clauses),
        )

    def _end_clause(self) -> None:
        if self._ne and not self._negated:  # with "plus", "que" or "guère", which don't mean "pas"
            self._negated = 2
        if self._negated and not self._here.isdisjoint(NEEDS):
            self._conditions.append("unneeded")
        if self._own or self._negated:
            refers = not self._here.isdisjoint(REFERRING)
            own, forms, guarded = tuple(self._own), frozenset(self._here), self._guard in {"if", "unless"}
            self._clauses.append(Clause(own, self._negated, self._averts, refers, forms, guarded))
        self._own, self._negated, self._ne, self._averts = [], 0, False, False
        self._waiting, self._guard, self._here = [], "", set()

    def _read_word(self, word: str, *, first: bool, is_month: bool) -> None:
        folded = _fold(word)
        before, heard = self._before, self._heard
        self._before, self._heard = "", heard if folded in CURRENCIES else (*heard[-2:], folded)
        self._forms.add(folded)
        self._here.add(folded)
        if folded in TO:
            self._waiting.append("to")
            self._here.add(f"{heard[-1] if heard else ''}-to")
        if folded in CONJUNCTIONS and not word.isupper():
            self._end_clause()
            self._guard = CAUSES.get(folded, "")
            return
        if self._negates(folded):
            return
        if not is_month and self._limits(word, folded):
            return
        if averts(folded, heard[-1] if heard else ""):
            if self._own:
                self._end_clause()
            self._averts = True
        exact = "may" if is_month else self._exact_of(word, folded, before, first=first)
        if exact is not None:
            self._add_exact(bounded(exact, heard), before)
            return
        for part in self._parts(word):
            capital = part[:1].isupper()
            self._add_word(part, name=capital and not first, opener=capital and first and "'" not in word)

    def _limits(self, word: str, folded: str) -> bool:
        """Note a condition. Whether the word is one, perhaps because of its umlauts."""
        condition = condition_of(word.casefold(), self._language) or condition_of(folded, self._language)
        if condition is None:
            return False
        self._conditions.append(condition)
        self._waiting += [condition] * (condition == "only")
        self._guard = condition if condition in {"if", "unless"} else self._guard
        return True

    def _negates(self, folded: str) -> bool:
        """Count a negation. Whether the word is nothing else."""
        if self._language == "fr" and (folded == "ne" or folded.startswith("n'")):
            self._ne = True
            return folded == "ne"
        careless = self._language in {None, "en"} and _CARELESS.match(folded)
        if folded in self._negations or _CONTRACTED.match(folded) or careless:
            self._negated += 1
            if self._language in {None, "en"}:
                self._waiting.append("not")
            return True
        return False

    def _exact_of(self, word: str, folded: str, before: str, *, first: bool) -> str | None:
        """The exact token of a word, or None."""
        found = exact_of(folded, self._language, before)
        if found is not None:
            return found
        if _OPTION.match(word):
            return word
        # "I" is a word, and so are "A" and others at the beginning
        is_letter = len(word) == 1 and "A" <= word <= "Z" and word != "I" and not (first and word in "AEOUY")
        return folded if is_letter or _EXACT.search(word) else None

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
        if word.casefold().startswith(_PREFIXES):
            return [word]
        if word.casefold().endswith(_SUFFIXES):
            return [word]
        return [part for part in word.split("-") if part]

    def _add_exact(self, token: str, before: str) -> None:
        """Add a token, or join it to the one right before it."""
        self._note(token)
        whole = joined(before, token)
        for tokens in (self._exact, self._content, self._own):
            if whole is not None:
                tokens.pop()
            tokens.append(whole or token)
        self._before = whole or token

    def _add_word(self, word: str, *, name: bool, opener: bool) -> None:
        folded = _fold(word)
        self._forms.add(folded)
        lower = word.casefold()
        if lower in self._stopwords or folded in self._stopwords or folded in MODALS or len(folded) == 1:
            return
        own = same(folded, stem(lower, self._language))
        if name:
            self._names.append(own)
        if opener:
            self._openers.append(len(self._content))
        self._note(own)
        self._content.append(own)
        self._own.append(own)

    def _note(self, token: str) -> None:
        self._scopes.update((operator, token) for operator in (*self._waiting, self._guard) if operator)
        self._waiting.clear()
