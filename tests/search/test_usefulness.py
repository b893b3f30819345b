"""The usefulness of tickets: a bounded factor from agents' verdicts on answers."""

import math

from hypothesis import given
from hypothesis import strategies as st

from core.feedback import Votes
from search.result import Answer
from search.usefulness import rank_by_usefulness, usefulness
from tests.search.cases import hit

_NUMBERS = st.integers(0, 10**6)


@given(_NUMBERS, _NUMBERS, _NUMBERS)
def test_usefulness_is_bounded(sent: int, edited: int, discarded: int) -> None:
    """No number of votes moves a score by more than the strength, and one more good vote never lowers it."""
    value = usefulness(Votes(sent, edited, discarded))
    assert -1 < value < 1
    assert usefulness(Votes(sent + 1, edited, discarded)) > value
    assert usefulness(Votes(sent, edited, discarded + 1)) < value


def test_a_ticket_whose_answers_were_sent_ranks_higher_among_like_ones() -> None:
    """A useful ticket outranks a slightly better match with a reason, but not a much better one."""
    answer = Answer(hits=(hit("1", 0.9), hit("2", 0.62), hit("3", 0.6)), nothing=False, confidence=0.8)
    votes = {"3": Votes(sent=4), "2": Votes(edited=1, discarded=2)}
    found = rank_by_usefulness(answer, votes, strength=0.05, limit=3)
    assert [one.ticket_id for one in found.hits] == ["1", "3", "2"]
    assert (found.confidence, found.nothing) == (0.8, False)
    useful, other = found.hits[1].factors[-1], found.hits[2].factors[-1]
    assert (useful.name, useful.reason) == ("useful", "answers that cite it: 4 sent")
    assert useful.value > 1 > other.value
    assert other.reason == "answers that cite it: 1 edited, 2 discarded"
    assert math.isclose(found.hits[1].score, 0.6 * useful.value)
    assert found.hits[0].factors == ()


def test_a_strength_of_0_changes_nothing_but_the_limit() -> None:
    """With a strength of 0 the hits are those of the search, cut to the limit."""
    answer = Answer(hits=(hit("1", 0.5), hit("2", 0.5)))
    found = rank_by_usefulness(answer, {"2": Votes(sent=9)}, strength=0, limit=1)
    assert found.hits == answer.hits[:1]
