"""Ranks an answer's hits by agents' verdicts on earlier answers that cite them: one more bounded factor."""

from collections.abc import Mapping
from typing import Final

import msgspec

from core.feedback import Votes
from search.result import Answer, Factor, RankedHit

#: Neutral votes that are added to a ticket's own, so that a single one moves it by a third of the strength.
_PRIOR: Final = 2.0
#: Value of an edited answer; a sent one counts 1, and a discarded one -1.
_EDITED: Final = 0.5


def usefulness(votes: Votes) -> float:
    """A ticket's usefulness, between -1 and 1; 0 without votes."""
    number = votes.sent + votes.edited + votes.discarded
    return (votes.sent + _EDITED * votes.edited - votes.discarded) / (number + _PRIOR)


def rank_by_usefulness(answer: Answer, votes: Mapping[str, Votes], *, strength: float, limit: int) -> Answer:
    """The best `limit` hits, each score multiplied by 1 - `strength` to 1 + `strength`.

    The answer's confidence and its mark "nothing found" don't change.

    Args:
        answer: has more hits than `limit`, because a ticket beyond it may rank higher.
        votes: by ticket of the answer's tenant.
        strength: 0 switches the factor off.
        limit: number of hits.
    """
    if strength:
        ranked = [_ranked(hit, votes.get(hit.ticket_id), strength) for hit in answer.hits]
        ranked.sort(key=lambda hit: (-hit.score, hit.ticket_id))
    else:
        ranked = list(answer.hits)
    return msgspec.structs.replace(answer, hits=tuple(ranked[:limit]))


def _ranked(hit: RankedHit, votes: Votes | None, strength: float) -> RankedHit:
    """A score of 0 or less, of a passage that means the opposite, stays as it is."""
    if votes is None or hit.score <= 0:
        return hit
    factor = Factor("useful", 1 + strength * usefulness(votes), _reason(votes))
    return msgspec.structs.replace(hit, score=hit.score * factor.value, factors=(*hit.factors, factor))


def _reason(votes: Votes) -> str:
    parts = [f"{votes.sent} sent", f"{votes.edited} edited", f"{votes.discarded} discarded"]
    return "answers that cite it: " + ", ".join(part for part in parts if not part.startswith("0 "))
