"""Whether anything was found: the calibrated probability that the nearest tickets are about the question."""

from collections.abc import Sequence
from math import exp
from typing import Final

from search.fuse import Match
from search.words import Forms, held_share

#: The confidence below which a search says that it found nothing.
THRESHOLD: Final = 0.4
#: Number of best tickets that decide, and the rank of the ticket whose similarity is the background.
_TICKETS: Final = 3
_BACKGROUND: Final = 20

#: A logistic regression, fitted to all-MiniLM-L6-v2 (docs/search.md): 1 / (1 + exp(-x)), where x is their sum.
_INTERCEPT: Final = -5.0
_PER_SIMILARITY: Final = 10.4
#: Of the highest similarity minus the background's.
_PER_MARGIN: Final = 4.5
#: One of the tickets holds an identifier or phrase of the question, or all of its words.
_HELD: Final = 4.0


def confidence(words: Sequence[Forms], best: Sequence[Match]) -> float:
    """Probability that the best tickets are about the question, 0 to 1; 0 if there are none.

    Args:
        words: the words of the question.
        best: the best match of each ticket, best first.
    """
    if not best:
        return 0.0
    looked_at = best[:_TICKETS]
    similarities = sorted((match.candidate.similarity for match in best), reverse=True)
    margin = similarities[0] - similarities[: _BACKGROUND + 1][-1]
    highest = max(match.candidate.similarity for match in looked_at)
    odds = _INTERCEPT + _PER_SIMILARITY * highest + _PER_MARGIN * margin
    exact = any(match.exact for match in looked_at)
    if exact or (odds < 0 and any(held_share(words, match.candidate) == 1 for match in looked_at)):
        odds += _HELD
    return 1 / (1 + exp(-odds))
