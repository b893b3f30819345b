"""Parses the claim of a sentence: content words, exact tokens, negations and conditions, clause by clause."""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import zip_longest
from typing import Final

from msgspec.structs import replace

from answers.conditions import ADVICE, BEHIND_OTHERS, NEEDS, SCOPED, condition_of, meant_by
from answers.lexicon import (
    CAUSES,
    CONJUNCTIONS,
    CONTRASTS,
    EXCHANGING,
    FACTIVE,
    MODALS,
    NEGATION_MARKS,
    ORDERING,
    PRONOUNS,
    REFERRING,
    RELATIVES,
    THAT,
    TO,
    averts,
    negations,
    same,
)
from answers.parsed import Clause, Reading
from answers.quantities import CURRENCIES, bounded, joined, normalised, with_comparisons, without_ordinals
from answers.sentences import OUTER, is_statement, unwrapped
from answers.tokens import UNSPACED, exact_token, fold, parts_of
from operators.stopwords import STOPWORDS
from operators.terms import stem

_ARROWS: Final = re.compile(r"\s*(?:->|=>|→|›|»|>)\s*")  # noqa: RUF001 - between the steps of a menu
#: A colon in a time, behind a host or a drive's letter ends nothing.
_CLAUSE_ENDS: Final = re.compile(r"([,;()!?،؛؟]|(?<![0-9A-Za-z]):|:(?![0-9/\\])|\s-+\s|\.(?=\s|$)|\u2026)")
_COMMAS: Final = frozenset(",،")
#: Maximum words of an opening that says nothing, as in "As discussed, …".
_FEW: Final = 2
_UNITS: Final = re.compile(r"(?<=\d)\s*(?=[%€$£])|(?<=[€$£])\s*(?=\d)")
_CONTRACTED: Final = re.compile(r"^(?:can't|won't|\w+n't|ain't|cannot)$")
_CARELESS: Final = re.compile(r"^(?:do|does|did|is|are|was|were|ca|could|should|would|has|have|had|must|need)nt$")
_CACHED: Final = 8_192


@lru_cache(maxsize=_CACHED)
def read(sentence: str, language: str | None) -> Reading:
    """Read a sentence in a language, given by its ISO 639-1 code."""
    text = without_ordinals(normalised(sentence))
    reader = _Reader(language)
    pieces = _CLAUSE_ENDS.split(_ARROWS.sub(" > ", _UNITS.sub(" ", with_comparisons(text))))
    for piece, mark, following in zip_longest(pieces[::2], pieces[1::2], pieces[2::2], fillvalue=""):
        reader.read_clause(piece, mark, following)
    return reader.reading(text)


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
        #: Number of the conditions of earlier clauses.
        self._noted = 0
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
        #: The number of the part, whether it is still unread, and the kind of word that makes the clause a comment.
        self._part = 0
        self._begins = True
        self._joint = ""
        #: The exact token of the word before, if it is one, and the last three words.
        self._before = ""
        self._heard: tuple[str, ...] = ()

    def read_clause(self, text: str, mark: str, following: str) -> None:
        """Read a clause up to a punctuation mark; a conjunction divides it further. `following` comes after it."""
        words = [word for raw in text.split() if (word := unwrapped(raw))]
        begun = len(self._clauses), len(self._conditions), len(self._exact)
        self._before, self._heard = "", ()
        for at, word in enumerate(words):
            is_month = word == "May" and (at > 0 or any(following[0].isdigit() for following in words[1:2]))
            self._read_word(word, first=at == 0, is_month=is_month)
        self._end_clause()
        is_joined = any(fold(word) in CONJUNCTIONS for word in following.split()[:1])
        if self._begins and mark in _COMMAS and not is_joined and self._matters(text, len(words), *begun):
            opening = [replace(clause, opens=True) for clause in self._clauses[begun[0] :]]
            self._clauses[begun[0] :] = opening
        self._begins = self._begins and not words
        if mark not in _COMMAS:
            self._part, self._begins = self._part + 1, True

    def _matters(self, text: str, length: int, clauses: int, conditions: int, exact: int) -> bool:
        """Whether the piece just read, of `length` words, may limit the text after it."""
        own = self._clauses[clauses:]
        if any(clause.averts for clause in own):
            return False
        if len(self._conditions) > conditions or len(self._exact) > exact or any(clause.negations for clause in own):
            return True
        is_long = length > _FEW or UNSPACED.search(text) is not None
        return is_long and not all(FACTIVE.issuperset(clause.content) for clause in own) and is_statement(text)

    def reading(self, text: str) -> Reading:
        """The reading of `text`."""
        folded = fold(text)
        marks = sum(folded.count(mark) for mark in NEGATION_MARKS) if UNSPACED.search(folded) else 0
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
            paths=tuple(fold(_ARROWS.sub(">", path.strip(OUTER))) for path in _PATHS.findall(arrows)),
            conditions=tuple(sorted(set(self._conditions))),
            scopes=frozenset(self._scopes),
            refers=not PRONOUNS.isdisjoint(self._forms),
            ordered=not ORDERING.isdisjoint(self._forms) or EXCHANGING.search(folded) is not None,
            clauses=tuple(self._clauses),
        )

    def _end_clause(self) -> None:
        if self._ne and not self._negated:  # with "plus", "que" or "guère", which don't mean "pas"
            self._negated = 2
        if self._negated and not self._here.isdisjoint(NEEDS):
            self._conditions.append("unneeded")
        if self._negated and not self._here.isdisjoint(ADVICE):
            self._conditions.append("discouraged")
        if self._own or self._negated:
            refers = not self._here.isdisjoint(REFERRING)
            own, forms = tuple(self._own), frozenset(self._here)
            comments = (self._joint == "but" and refers) or (self._joint == "which" and self._negated > 0)
            conditions = frozenset(self._conditions[self._noted :])
            self._noted = len(self._conditions)
            self._clauses.append(
                Clause(own, self._negated, self._averts, refers, forms, conditions, self._part, comments=comments)
            )
        self._own, self._negated, self._ne, self._averts = [], 0, False, False
        self._waiting, self._guard, self._here, self._joint = [], "", set(), ""

    def _read_word(self, word: str, *, first: bool, is_month: bool) -> None:
        folded = fold(word)
        before, heard = self._before, self._heard
        self._before, self._heard = "", heard if folded in CURRENCIES else (*heard[-2:], folded)
        self._forms.add(folded)
        self._here.add(folded)
        if folded in TO:
            self._waiting.append("to")
            self._here.add(f"{heard[-1] if heard else ''}-to")
        if self._joins(word, folded, heard):
            return
        if self._negates(folded):
            return
        if not is_month and self._limits(word, folded, heard):
            return
        if averts(folded, heard[-1] if heard else ""):
            if self._own:
                self._end_clause()
            self._averts = True
        exact = "may" if is_month else exact_token(word, folded, self._language, before, first=first)
        if exact is not None:
            self._add_exact(bounded(exact, heard), before)
            return
        for part in parts_of(word):
            capital = part[:1].isupper()
            self._add_word(part, name=capital and not first, opener=capital and first and "'" not in word)

    def _joins(self, word: str, folded: str, heard: Sequence[str]) -> bool:
        """End the clause at a conjunction, or after "we found that". Whether the word is a conjunction."""
        if not heard and folded in RELATIVES:
            self._joint = "which"
        if folded in THAT and FACTIVE.issuperset(self._own) and not (self._negated or self._averts or self._guard):
            self._end_clause()
        # "è" and "é" are verbs
        if folded not in CONJUNCTIONS or word.isupper() or word.casefold() in {"è", "é"}:
            return False
        self._end_clause()
        self._guard, self._joint = CAUSES.get(folded, ""), "but" if folded in CONTRASTS else ""
        self._conditions += meant_by(folded, heard)
        return True

    def _limits(self, word: str, folded: str, heard: Sequence[str]) -> bool:
        """Note a condition. Whether the word is one, perhaps because of its umlauts."""
        if folded in BEHIND_OTHERS:
            self._conditions += meant_by(folded, heard)
        if self._language == "de" and heard[-1:] == ("zu",) and word.islower() and folded not in self._stopwords:
            self._conditions += ["too"] * (not word.endswith("n"))  # "zu alt", but "zu starten"
        lower = word.casefold()
        condition = None if lower == folded else condition_of(lower, self._language)
        condition = condition or condition_of(folded, self._language)
        if condition is None:
            return False
        self._conditions.append(condition)
        self._waiting += [condition] * (condition in SCOPED)
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
        folded = fold(word)
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
