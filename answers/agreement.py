"""Compares two resolutions: the same problem, and the same solution or a contradiction."""

import re
from typing import Final

from answers.parsed import Reading

#: Minimum share of common words for two resolutions of the same problem.
_SAME_PROBLEM: Final = 0.6
#: Fewer common words may be a coincidence.
_MANY: Final = 5

#: Words with which a message takes back an earlier one.
_CORRECTING: Final = re.compile(
    r"\b(?:correction|korrektur|correzione|correctie|rectification|erratum|corrección|correção)\s*[:–—-]|"  # noqa: RUF001
    r"\b(?:ignore|disregard|forget) (?:my|the|our) (?:last|previous|earlier|above|first)\b|\bscratch that\b|"
    r"\b(?:my mistake|i was wrong|i meant|we meant|i misread|i mixed up)\b|"
    r"\b(?:the above|my (?:last|previous|earlier) (?:message|reply|answer|mail)|what i wrote) (?:is|was) wrong\b|"
    r"\bignorieren sie (?:meine|die) (?:letzte|vorige|obige)|\bich (?:habe mich geirrt|meinte)\b|\bmein fehler\b|"
    r"\bje (?:me suis trompée?|voulais dire)\b|\bignorez mon\b|\bme equivoqué\b|\bquise decir\b|\bignore mi\b|"
    r"\bmi sono sbagliat[oa]\b|\bintendevo\b|\b(?:me enganei|enganei-me)\b|\bquis dizer\b|"
    r"\bik heb me vergist\b|\bik bedoelde\b|\bnegeer mijn\b",
    re.IGNORECASE,
)


def is_correction(text: str) -> bool:
    """Whether a message says that an earlier one was wrong."""
    return _CORRECTING.search(text) is not None


def denies(one: Reading, other: Reading) -> bool:
    """Whether a sentence says the opposite of another, in the same words."""
    if _negated(one) == _negated(other) or one.conditions != other.conditions:
        return False
    return set(one.exact) == set(other.exact) and _likeness(one, other) >= _SAME_PROBLEM


def agree(one: Reading, other: Reading) -> bool:
    """Whether both solve the same problem in the same way."""
    return _likeness(one, other) >= _SAME_PROBLEM and set(one.exact) == set(other.exact)


def contradict(one: Reading, other: Reading) -> bool:
    """Whether both solve the same problem, but differ in numbers, codes or negations."""
    if _likeness(one, other) < _SAME_PROBLEM:
        return False
    return set(one.exact) != set(other.exact) or _negated(one) != _negated(other)


def is_certain(one: Reading, other: Reading) -> bool:
    """Whether two similar resolutions share enough words to be about the same problem, regardless of the question."""
    return len(_words(one) & _words(other)) >= _MANY


def _likeness(one: Reading, other: Reading) -> float:
    """The share of words, without exact tokens, that they have in common."""
    mine, theirs = _words(one), _words(other)
    return len(mine & theirs) / len(mine | theirs) if mine and theirs else 0.0


def _words(reading: Reading) -> set[str]:
    return set(reading.content) - set(reading.exact)


def _negated(reading: Reading) -> int:
    return sum(clause.negations for clause in reading.clauses)
