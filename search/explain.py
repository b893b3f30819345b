"""Makes hits of ranked matches: the reason for each, its passage, and its ticket's outcome."""

from typing import Final

from core.payload import PayloadValue, shown
from search.fuse import Match
from search.rank import Ranked, is_solved
from search.result import RankedHit, Why

#: A passage matches by words from this share of the highest BM25 score and this score, which needs a rare word.
_NEAR_WORDS: Final = 0.5
_RARE_WORD: Final = 5.0
#: Below this weight, words have hardly affected the ranking.
_MATTERS: Final = 0.05


def hit_of(ranked: Ranked, words_weight: float, near: float) -> RankedHit:
    """The hit of a ranked match; `words_weight` is the weight of words in the question.

    `near`: from this similarity on a passage is near in meaning.
    """
    match = ranked.match
    best, found = match.candidate, match.shown or match.candidate
    payload = found.payload()
    return RankedHit(
        tenant_id=found.tenant_id,
        ticket_id=found.ticket_id,
        version=found.version,
        score=ranked.score,
        similarity=best.similarity,
        words=match.words,
        why=_why(match, words_weight, near),
        chunk=found.chunk,
        passage=found.passage,
        payload=shown(payload),
        exact=match.exact,
        bonus=match.bonus,
        factors=ranked.factors,
        message=-1 if (message := _number(payload.get("message"))) is None else message,
        start=_number(payload.get("start")),
        end=_number(payload.get("end")),
        solved=is_solved(found.facts),
        resolution=payload.get("resolution") is True,
    )


def _why(match: Match, words_weight: float, near_meaning: float) -> Why:
    found = match.candidate
    near = match.words >= _NEAR_WORDS and found.words >= _RARE_WORD
    by_words = bool(match.exact) or (near and words_weight >= _MATTERS)
    by_meaning = found.similarity >= near_meaning
    if by_words == by_meaning:
        return "both" if by_words else "meaning"
    return "words" if by_words else "meaning"


def _number(value: PayloadValue) -> int | None:
    return value if isinstance(value, int) else None
