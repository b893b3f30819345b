"""The confidence that anything was found: the calibrated probability that the best tickets are about the question."""

from collections.abc import Sequence
from math import exp
from typing import Final

from search.calibration import Calibration
from search.fuse import Match
from search.words import Forms, held_share, is_small_number

#: The confidence below which a search says that it found nothing.
THRESHOLD: Final = 0.4
#: Number of best tickets that decide, and the rank (from 0) of the ticket whose similarity is the background: the last
#: one that every pool has.
_TICKETS: Final = 3
_BACKGROUND: Final = 9

#: Added if one of the tickets holds an identifier or phrase of the question, other than a small number, or all of its
#: words.
_HELD: Final = 4.0


def confidence(words: Sequence[Forms], best: Sequence[Match], calibration: Calibration) -> float:
    """Probability that the best tickets are about the question, 0 to 1; 0 if there are none.

    Args:
        words: the words of the question.
        best: the best match of each ticket, best first.
        calibration: of the model whose similarities they have.
    """
    if not best:
        return 0.0
    looked_at = best[:_TICKETS]
    similarities = sorted((match.candidate.similarity for match in best), reverse=True)
    margin = similarities[0] - similarities[: _BACKGROUND + 1][-1]
    highest = max(match.candidate.similarity for match in looked_at)
    odds = calibration.intercept + calibration.similarity * highest + calibration.margin * margin
    exact = any(not is_small_number(one) for match in looked_at for one in match.exact)
    if exact or (odds < 0 and any(held_share(words, match.candidate) == 1 for match in looked_at)):
        odds += _HELD
    return 1 / (1 + exp(-odds))
