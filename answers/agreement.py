"""Whether two resolutions are about the same problem, and whether they say the same."""

from typing import Final

from answers.reading import Reading

#: Resolutions that share this much of their words are about the same problem.
_SAME_PROBLEM: Final = 0.6
#: Of so many shared words or more the likeness is no chance.
_MANY: Final = 5


def agree(one: Reading, other: Reading) -> bool:
    """Whether both solve the same problem in the same way."""
    return _likeness(one, other) >= _SAME_PROBLEM and set(one.exact) == set(other.exact)


def contradict(one: Reading, other: Reading) -> bool:
    """Whether both are about the same problem, and differ in numbers, codes or negations."""
    if _likeness(one, other) < _SAME_PROBLEM:
        return False
    return set(one.exact) != set(other.exact) or _negated(one) != _negated(other)


def is_certain(one: Reading, other: Reading) -> bool:
    """Whether two that are alike share so many words that they are about the same problem, whatever the question."""
    return len(_words(one) & _words(other)) >= _MANY


def _likeness(one: Reading, other: Reading) -> float:
    """Share of their words, without exact tokens, that both have."""
    mine, theirs = _words(one), _words(other)
    return len(mine & theirs) / len(mine | theirs) if mine and theirs else 0.0


def _words(reading: Reading) -> set[str]:
    return set(reading.content) - set(reading.exact)


def _negated(reading: Reading) -> int:
    return sum(clause.negations for clause in reading.clauses)
