"""Rules of the check about clauses and persons: whose words a claim uses, and in which voice."""

import re
from typing import Final

from answers.lexicon import BE, OURS, PASSIVE, PRONOUNS, YOURS, opposites
from answers.parsed import Reading
from answers.reading import read

#: A quotation inside a sentence.
_QUOTED: Final = re.compile(r'"([^"]+)"|“([^”]+)”|„([^“”]+)[“”]|«([^»]+)»|「([^」]+)」')


def says_clause(claim: Reading, sentence: Reading) -> bool:
    """Whether a claim has all words of the sentence, or of its first clause if that has several.

    A later clause may lack the subject.
    """
    words = frozenset(claim.content)
    first = next((clause.content for clause in sentence.clauses if clause.content), ())
    return words.issuperset(sentence.content) or (len(first) > 1 and words.issuperset(first))


def are_others(claim: Reading, sentence: Reading) -> bool:
    """Whether the claim says "we" where the sentence doesn't, or "you" where it says only "we"."""
    ours, yours = (not sentence.forms.isdisjoint(words) for words in (OURS, YOURS))
    if not ours:
        return not claim.forms.isdisjoint(OURS - {"i"})  # which is an article in Italian
    return not yours and not claim.forms.isdisjoint(YOURS)


def replaces_pronoun(claim: Reading, sentence: Reading) -> bool:
    """Whether the claim lacks a pronoun of the sentence, so that other words may stand for it."""
    return not claim.forms.issuperset(sentence.forms & PRONOUNS)


def swaps_voice(claim: Reading, sentence: Reading) -> bool:
    """Whether one of both is passive, and both have the same order, so that its subject is the other's agent."""
    exact = {*claim.exact, *sentence.exact}
    known = (set(claim.content) & set(sentence.content)) - exact
    one, other = ([w for w in dict.fromkeys(words) if w in known] for words in (claim.content, sentence.content))
    passive = any(not (PASSIVE.isdisjoint(x.forms) or BE.isdisjoint(x.forms)) for x in (claim, sentence))
    return passive and len(one) > 2 and one == other  # noqa: PLR2004 - subject, verb and object


def swaps_aim(claim: Reading, sentence: Reading) -> bool:
    """Whether the claim has another word behind "to", and the sentence's elsewhere."""
    aims, wanted = ({word for operator, word in one.scopes if operator == "to"} for one in (sentence, claim))
    return not wanted <= aims and any(word in claim.content for word in aims - wanted)


def flips_clause(claim: Reading, sentence: Reading) -> bool:
    """Whether a word of a clause has its opposite in the sentence's most similar clauses instead."""
    for clause in claim.clauses:
        words = frozenset(clause.content)
        likeness = [len(words.intersection(other.content)) for other in sentence.clauses]
        best = max(likeness, default=0)
        pairs = zip(sentence.clauses, likeness, strict=True)
        alike = [other.forms for other, shared in pairs if best and shared == best]
        flipped = (all(word not in forms and opposites(word) & forms for forms in alike) for word in clause.forms)
        if alike and any(flipped):
            return True
    return False


def misplaces_later_word(claim: Reading, sentence: Reading) -> bool:
    """Whether a clause joins a number with a word that only later clauses of the sentence have."""
    for clause in claim.clauses:
        last = {word: at for word in clause.content for at, one in enumerate(sentence.clauses) if word in one.content}
        first = {
            word: at
            for word in clause.content
            for at, one in reversed(list(enumerate(sentence.clauses)))
            if word in one.content
        }
        numbers = {token for token in claim.exact if token in last and any(map(str.isdigit, token))}
        if any(first[word] > last[token] for token in numbers for word in first.keys() - claim.exact):
            return True
    return False


def is_quoted(claim: Reading, sentence: str, language: str | None) -> bool:
    """Whether the claim says only what the sentence quotes, for example a label or a customer."""
    words, whole = set(claim.content), set(read(sentence, language).content)
    quotes = (set(read(found[found.lastindex or 0], language).content) for found in _QUOTED.finditer(sentence))
    return any(words <= quote < whole for quote in quotes)


def restricts_others(claim: Reading, sentence: Reading) -> bool:
    """Whether "if", "because", "only" or "not" is about another word than in the sentence."""
    return any(
        word in sentence.content and (operator, word) not in sentence.scopes
        for operator, word in claim.scopes
        if operator != "to"
    )
