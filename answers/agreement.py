"""Compares two resolutions: the same problem, and the same solution or a contradiction."""

from typing import Final

from answers.parsed import Reading

#: Minimum share of common words for two resolutions of the same problem.
_SAME_PROBLEM: Final = 0.6
#: Fewer common words may be a coincidence.
_MANY: Final = 5


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
