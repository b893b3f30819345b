"""Rules of the check about omissions: a claim may omit whole clauses only, and never an opening or a comment."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import chain
from typing import Final

from answers.lexicon import FACTIVE, OURS, REFERRING, SYNONYMS, YOURS, opposites, same
from answers.parsed import Clause, Reading
from operators.pii.detector import words
from operators.terms import stem

#: Words that a claim may leave out of a clause.
_DROPPABLE: Final = OURS | YOURS | REFERRING | {same(word, stem(word)) for word in words("cause fix solution")}
#: A quantity after "and", which belongs to the one before: "two and a half hours".
_QUANTITY: Final = re.compile(r"[<>≤~]?-?\d[\d.:/]*(?: \w+)?")


def leaves_out(claim: Reading, sentence: Reading) -> bool:
    """Whether a claim leaves out a part that may change the meaning of the rest.

    Each of its clauses must say a whole clause of the sentence: "delete the old account" doesn't support "delete the
    account". It must also say that clause's opening ("on Fridays, …"), the comment after it ("…, which failed") and
    the rest of its number ("two and a half").
    """
    known, several = frozenset(sentence.content), len(claim.clauses) > 1
    together = [_said_together(claim, one, known) if several else () for one in sentence.clauses]
    said, firsts, clauses = set[int](), list[int](), list[tuple[Clause, list[int]]]()
    for clause in claim.clauses:
        own = frozenset(clause.content)
        likeness = [len(own.intersection(one.content)) for one in sentence.clauses]
        best = max(likeness, default=0)
        whole = [
            at
            for at, one in enumerate(sentence.clauses)
            if likeness[at] and (clause in together[at] or _is_said(one, clause.content, clause.forms))
        ]
        said.update(whole)
        firsts += [at for at in whole if likeness[at] == best][:1]
        clauses.append((clause, whole))
    if not said or any(
        _strays(clause, whole, said, sentence) or _limits_others(clause, whole, sentence) for clause, whole in clauses
    ):
        return True
    if firsts != sorted(firsts) and not {"because", "so", "if", "unless"}.intersection(dict(sentence.scopes)):
        return True
    parts = {sentence.clauses[at].part for at in said}
    return any(
        clause.part in parts
        and (clause.opens or (at - 1 in said and (clause.comments or _is_quantity(clause))))
        and not _is_said(clause, claim.content, claim.forms)
        for at, clause in enumerate(sentence.clauses)
    )


def _limits_others(clause: Clause, whole: Sequence[int], sentence: Reading) -> bool:
    """Whether a clause of a claim has a condition that the clauses it says don't have."""
    return not clause.conditions.issubset(chain.from_iterable(sentence.clauses[at].conditions for at in whole))


def _strays(clause: Clause, whole: Sequence[int], said: Collection[int], sentence: Reading) -> bool:
    """Whether a clause of a claim has words of clauses that the claim doesn't say.

    The first word of a part may be the subject of its later clauses, and a pronoun stands for words before it.
    """
    firsts = {one.part: {*one.content[:1]} - FACTIVE for one in reversed(sentence.clauses)}
    before = max((at for at in whole if sentence.clauses[at].refers), default=0)
    held = chain(*firsts.values(), *(sentence.clauses[at].content for at in {*said, *range(before)}))
    return not frozenset(sentence.content).intersection(clause.content) <= frozenset(held)


def _said_together(claim: Reading, one: Clause, known: frozenset[str]) -> Collection[Clause]:
    """The clauses of the claim whose `known` words are all in `one`, if together they say the whole of it."""
    strange = known.difference(one.content)
    alike = [clause for clause in claim.clauses if strange.isdisjoint(clause.content)]
    forms = frozenset[str]().union(*(clause.forms for clause in alike))
    return alike if _is_said(one, [word for clause in alike for word in clause.content], forms) else ()


def _is_said(clause: Clause, content: Sequence[str], forms: frozenset[str]) -> bool:
    """Whether a claim has all words of a clause that matter. A verb may say "off"; a range's lower end is optional."""
    said = Counter(content)
    missing = {word for word in Counter(clause.content) - said if word not in SYNONYMS or not said[word]}
    pairs = zip(clause.content, clause.content[1:], strict=False)
    ends = {first for first, second in pairs if second.startswith("≤")}
    return all(
        word in _DROPPABLE or word in ends or any(opposites(word) & opposites(form) for form in forms)
        for word in missing
    )


def _is_quantity(clause: Clause) -> bool:
    return all(_QUANTITY.fullmatch(token) for token in clause.content)
