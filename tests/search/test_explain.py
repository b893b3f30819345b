"""Hits of ranked matches: their reasons and the passage that is shown."""

import pytest

from search.explain import hit_of
from search.fuse import Match
from search.rank import Ranked
from search.result import RankedHit, Why
from tests.search.cases import candidate, candidate_with


def _hit(match: Match, words_weight: float = 0.5) -> RankedHit:
    return hit_of(Ranked(match, (), match.score), words_weight, near=0.4)


@pytest.mark.parametrize(
    ("similarity", "words", "exact", "weight", "why"),
    [
        (0.6, 0.0, (), 0.5, "meaning"),
        (0.6, 9.0, (), 0.5, "both"),
        (0.2, 9.0, (), 0.5, "words"),
        (0.2, 0.0, ("e-42",), 0.5, "words"),
        (0.2, 9.0, (), 0.0, "meaning"),
        (0.2, 1.0, (), 0.5, "meaning"),
    ],
)
def test_a_hit_says_why_it_was_found(
    similarity: float, words: float, exact: tuple[str, ...], weight: float, why: Why
) -> None:
    """A reason is words (weighted, with a rare match), an identifier in the ticket, or a near meaning."""
    match = Match(candidate(similarity=similarity, words=words), 0.5, 1.0 if words else 0.0, exact)
    assert _hit(match, weight).why == why


def test_the_shown_passage_gives_the_place_and_the_best_one_the_scores() -> None:
    """Chunk, message, span and outcome are those of the shown passage."""
    best = candidate("1", "Done.", similarity=0.7, chunk=3, message=2)
    shown = candidate("1", "long", similarity=0.5, chunk=1, message=0, start=5, end=9, solved="yes", resolution=True)
    hit = _hit(Match(best, 0.7, 0.0, shown=shown))
    assert (hit.similarity, hit.chunk, hit.message, hit.start, hit.end) == (0.7, 1, 0, 5, 9)
    assert (hit.passage, hit.solved, hit.resolution) == ("long", True, True)


def test_the_payload_does_not_repeat_the_fields_of_the_hit() -> None:
    """A hit's payload leaves out the passage's text, its ids and the fields that only the index reads."""
    ids = {"tenant_id": "acme", "head": "id", "state": "live"}
    stored = candidate_with({**ids, "chunks": 2, "text": "text", "status": "open"})
    assert _hit(Match(stored, 0.5, 0.0)).payload == {"status": "open"}


def test_an_index_that_knows_less_gives_a_hit_all_the_same() -> None:
    """Points of an older version give hits without span and outcome."""
    hit = _hit(Match(candidate(), 0.5, 0.0))
    assert (hit.message, hit.start, hit.end, hit.solved, hit.resolution) == (-1, None, None, False, False)
