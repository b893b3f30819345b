"""Whether anything was found: the calibrated probability that the nearest tickets are about the question."""

from collections.abc import Sequence
from math import exp
from typing import Final

from core.index import Candidate
from operators.terms import passage_terms, question_terms
from operators.tokens import pieces_of
from search.fuse import Match

#: The confidence below which a search says that it found nothing.
THRESHOLD: Final = 0.5
#: Best tickets that are looked at, and the one whose similarity is the background of the others.
_TICKETS: Final = 3
_BACKGROUND: Final = 20
#: Words of a question that are looked for; a pasted one has more than matter.
_WORDS: Final = 40

#: A logistic regression, fitted to all-MiniLM-L6-v2 (docs/search.md): 1 / (1 + exp(-x)), where x is their sum.
_INTERCEPT: Final = -5.0
_PER_SIMILARITY: Final = 10.4
#: Highest similarity less that of the background.
_PER_MARGIN: Final = 4.5
#: One of the tickets holds an identifier or phrase of the question, or all of its words.
_HELD: Final = 4.0


def confidence(text: str, languages: Sequence[str], best: Sequence[Match]) -> float:
    """Probability that the best tickets are about the question, 0 to 1; 0 if there are none.

    Args:
        text: the question as it was searched for.
        languages: those of the question.
        best: the best match of each ticket, best first.
    """
    if not best:
        return 0.0
    looked_at = best[:_TICKETS]
    similarities = sorted((match.candidate.similarity for match in best), reverse=True)
    margin = similarities[0] - similarities[: _BACKGROUND + 1][-1]
    highest = max(match.candidate.similarity for match in looked_at)
    odds = _INTERCEPT + _PER_SIMILARITY * highest + _PER_MARGIN * margin
    if any(match.exact for match in looked_at) or (odds < 0 and _all_words_held(text, languages, looked_at)):
        odds += _HELD
    return 1 / (1 + exp(-odds))


def _all_words_held(text: str, languages: Sequence[str], matches: Sequence[Match]) -> bool:
    """Whether one passage, with its subject, holds all words of the question in some form."""
    pieces = pieces_of(text)[:_WORDS]
    words = [terms for piece in pieces if (terms := frozenset(question_terms(piece, *languages).indices.tolist()))]
    return bool(words) and any(_holds_all(words, match.candidate) for match in matches)


def _holds_all(words: Sequence[frozenset[int]], candidate: Candidate) -> bool:
    language = candidate.payload.get("language")
    text = f"{candidate.payload.get('subject') or ''}\n{candidate.passage}"
    held = passage_terms(text, language if isinstance(language, str) else None).indices.tolist()
    return not any(forms.isdisjoint(held) for forms in words)
