"""Fuses meaning and words: one score for each passage, then the best passage of each ticket.

score = (1 - w) * cosine + w * BM25 / highest BM25 of the candidates + bonus for held identifiers and phrases

An equal fusion harms plain questions, so a gate chooses w. Words weigh much if the question holds an identifier that
the tickets have, or if they point to a single ticket; otherwise they weigh little. docs/search.md has the figures
behind the constants.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from core.index import Candidate
from operators.tokens import is_unspaced, plain
from search.marks import is_code
from search.question import ReadQuestion
from search.words import Forms, held_share, is_small_number

#: Weight of words in a plain question, in one with a known identifier or a phrase, and in a long one.
PLAIN: Final = 0.12
IDENTIFIER: Final = 0.5
LONG: Final = 0.2
#: Added to the score of a passage that holds all identifiers and phrases of the question; a part of them adds less.
EXACT_BONUS: Final = 0.2
#: Added for a code that a single ticket holds: that ticket is meant, even if other words are rare too.
UNIQUE_BONUS: Final = 0.3
#: Maximum words of a question in which a small number is an identifier, as in "error 500".
_FEW_WORDS: Final = 3
#: A rare word raises the weight as an identifier does. The lead is that of the best ticket by words over the second,
#: as a share of the best one's BM25 score: above `_LEAD`, the weight of words grows by `_PER_LEAD` times the excess.
_LEAD: Final = 0.45
_PER_LEAD: Final = 1.5
#: The share of the question's words that the best passage by words holds. Up to the first bound words weigh nothing,
#: from the second one they have their full weight: a paraphrase shares a few words with tickets about something else.
_SHARE: Final = (0.25, 0.6)
#: A passage of fewer characters says little apart from its subject. The shorter it is, the more it loses in the
#: choice of the passage to show: `_PER_SHORT` if it is empty.
_SHORT: Final = 200
_PER_SHORT: Final = 0.2


class Match(Struct, frozen=True):
    """A candidate with its score.

    Attributes:
        words: its BM25 score as a share of the highest.
        exact: the identifiers and phrases of the question that it holds.
        bonus: the part of the score for identifiers and phrases.
        shown: the passage of the ticket to show, if it is a different one.
    """

    candidate: Candidate
    score: float
    words: float
    exact: tuple[str, ...] = ()
    bonus: float = 0.0
    shown: Candidate | None = None


class Wanted(Struct, frozen=True):
    """Identifiers and phrases of a question, and the weight that words have in it.

    Attributes:
        identifiers: those that a candidate holds, without parts of one another.
        phrases: the quoted phrases.
        words_weight: 0 to 1.
        unique: the codes among the identifiers that a single ticket holds.
    """

    identifiers: tuple[str, ...]
    phrases: tuple[str, ...]
    words_weight: float
    unique: tuple[str, ...] = ()


def folded(candidates: Sequence[Candidate]) -> list[str]:
    """The subject and passage of each, folded, in which `gate` and `fuse` look for identifiers and phrases."""
    return [_folded(f"{one.facts.subject}\n{one.passage}") for one in candidates]


def gate(
    question: ReadQuestion,
    identifiers: Sequence[str],
    words: Sequence[Forms],
    candidates: Sequence[Candidate],
    texts: Sequence[str],
) -> Wanted:
    """Choose the weight of words by the identifiers and words of the question that the candidates hold.

    `texts` are the candidates', `folded`, if there are identifiers.
    """
    if len(words) > _FEW_WORDS:
        identifiers = [one for one in identifiers if not is_small_number(one)]
    holders = _holders(identifiers, candidates, texts) if identifiers else {}
    known = tuple(one for one in holders if not any(one != other and one in other for other in holders))
    unique = tuple(one for one in known if len(holders[one]) == 1 and is_code(one))
    if question.long:  # other identifiers say little about it
        return Wanted(unique, (), LONG, unique)
    weight = IDENTIFIER if known or question.phrases else _plain_weight(words, candidates)
    return Wanted(known, question.phrases, weight, unique)


def fuse(wanted: Wanted, candidates: Sequence[Candidate], texts: Sequence[str] = ()) -> list[Match]:
    """A match for each candidate, in order. `texts` are theirs, `folded`, if an identifier or phrase is wanted."""
    highest = max([candidate.words for candidate in candidates], default=0.0)
    sought = {one: _folded(one) for one in (*wanted.identifiers, *wanted.phrases)}
    unique, weight = frozenset(wanted.unique), wanted.words_weight
    matches = []
    for number, candidate in enumerate(candidates):
        words = candidate.words / highest if highest > 0 else 0.0
        score = (1 - weight) * candidate.similarity + weight * words
        exact: tuple[str, ...] = ()
        bonus = 0.0
        if sought and (candidate.words > 0 or wanted.phrases):  # a passage that holds an identifier has its term
            exact = tuple([one for one, form in sought.items() if _holds(texts[number], form)])
            bonus = EXACT_BONUS * len(exact) / len(sought)
            bonus += 0.0 if unique.isdisjoint(exact) else UNIQUE_BONUS
        matches.append(Match(candidate, score + bonus, words, exact, bonus))
    return matches


def best_of_each_ticket(matches: Iterable[Match]) -> list[Match]:
    """The best match of each ticket, best first. Ties are ordered by ticket, so that the order is stable.

    Every passage carries its ticket's subject, so a short reply ("Done.") may match best by the subject alone. Its
    score still ranks the ticket, but a longer passage that matches nearly as well is shown.
    """
    found = list(matches)
    order = sorted((-one.score, one.candidate.ticket_id, one.candidate.chunk, n) for n, one in enumerate(found))
    tickets: dict[str, list[Match]] = {}
    for *_key, number in order:
        match = found[number]
        tickets.setdefault(match.candidate.ticket_id, []).append(match)
    return [_with_shown(own) for own in tickets.values()]


def holds_all(match: Match, phrases: Sequence[str]) -> bool:
    """Whether the passage holds each of the phrases."""
    return all(phrase in match.exact for phrase in phrases)


def _holders(identifiers: Sequence[str], candidates: Sequence[Candidate], texts: Sequence[str]) -> dict[str, set[str]]:
    """The tickets that hold each identifier, without identifiers that no ticket holds."""
    with_words = [(one.ticket_id, text) for one, text in zip(candidates, texts, strict=True) if one.words > 0]
    found = {one: {ticket for ticket, text in with_words if _holds(text, one)} for one in identifiers}
    return {one: tickets for one, tickets in found.items() if tickets}


def _plain_weight(words: Sequence[Forms], candidates: Sequence[Candidate]) -> float:
    """More if one ticket leads by words; less if even the best passage by words holds few of them."""
    top = max(candidates, key=lambda one: (one.words, one.ticket_id, one.chunk), default=None)
    if top is None or top.words <= 0:
        return 0.0
    second = max((one.words for one in candidates if one.ticket_id != top.ticket_id), default=0.0)
    lead = max(0.0, 1 - second / top.words - _LEAD)
    few, many = _SHARE
    held = min(1.0, max(0.0, (held_share(words, top) - few) / (many - few)))
    return held * min(IDENTIFIER, PLAIN + _PER_LEAD * lead)


def _with_shown(own: Sequence[Match]) -> Match:
    best = own[0]
    shown = best if len(own) == 1 else min(own, key=_shown_order)
    if shown is best:
        return best
    return Match(best.candidate, best.score, best.words, best.exact, best.bonus, shown.candidate)


def _shown_order(match: Match) -> tuple[float, int]:
    short = max(0.0, 1 - len(match.candidate.passage) / _SHORT)
    return _PER_SHORT * short - match.score, match.candidate.chunk


def _folded(text: str) -> str:
    """`text` in lower case and in the plain form of tokens, with straight apostrophes."""
    return plain(text).replace("\u2019", "'").casefold()


def _holds(text: str, sought: str) -> bool:
    """Whether `text` holds `sought` as whole words, both folded. Scripts without spaces have no word ends."""
    at = -1
    if " " in sought:
        text = " ".join(text.split())
    while (at := text.find(sought, at + 1)) >= 0:
        end = at + len(sought)
        starts = not (at and _is_inside(text[at - 1], sought[0])) or _is_number_of_a_name(text[at - 1], sought[0])
        if starts and not _is_inside(sought[-1], text[end : end + 1]):
            return True
    return False


def _is_number_of_a_name(one: str, other: str) -> bool:
    """Whether a number begins behind letters, as in INC0012345 and 0x80070005: it is an identifier, too."""
    return one.isalpha() and other.isdigit()


def _is_inside(one: str, other: str) -> bool:
    """Whether a word goes on from one character to the other."""
    return one.isalnum() and other.isalnum() and not (is_unspaced(one) or is_unspaced(other))
