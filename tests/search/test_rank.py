"""Ranking factors, which multiply the match's score."""

from hypothesis import given
from hypothesis import strategies as st

from core.payload import PayloadValue
from search.rank import NO_FACTORS, Factors, factors_of, rank
from tests.search.cases import facts, matched

NOW = 1_800_000_000_000
DAY = 86_400_000

payloads = st.fixed_dictionaries(
    {}, optional={"solved": st.sampled_from(["yes", "no"]), "updated_at": st.integers(-(2**62), 2**62)}
)


@given(payloads, st.floats(0, 0.1), st.floats(0, 0.1), st.floats(1, 1_000))
def test_factors_are_bounded(payload: dict[str, PayloadValue], solved: float, recent: float, days: float) -> None:
    """Each factor is between 1 and 1 plus its strength, whatever the payload says."""
    strength = Factors(solved=solved, recent=recent, half_life_days=days)
    bounds = {"solved": solved, "recent": recent}
    for factor in factors_of(facts(payload), strength, NOW):
        assert 1 <= factor.value <= 1 + bounds[factor.name]


def test_a_solved_ticket_ranks_before_a_like_one() -> None:
    """Of two equal matches the solved one is first, and the reason is said."""
    first, second = rank([matched("1", 0.5), matched("2", 0.5, solved="yes")], Factors(), NOW)
    assert (first.match.candidate.ticket_id, [factor.name for factor in first.factors]) == ("2", ["solved"])
    assert second.factors == ()


def test_a_recent_ticket_ranks_before_a_like_one() -> None:
    """Of two equal matches the one that changed later is first; half of the factor is left after its half-life."""
    strength = Factors(recent=0.02, half_life_days=90)
    ranked = rank([matched("1", 0.5, updated_at=NOW - 90 * DAY), matched("2", 0.5, updated_at=NOW)], strength, NOW)
    assert [one.match.candidate.ticket_id for one in ranked] == ["2", "1"]
    assert [round(one.factors[0].value, 6) for one in ranked] == [1.02, 1.01]
    assert [one.factors[0].reason for one in ranked] == ["changed today", "changed 90 days ago"]


@given(st.lists(st.floats(-1, 1.2), min_size=1, max_size=8))
def test_without_factors_the_match_decides(scores: list[float]) -> None:
    """With the factors switched off, scores stay and nothing is explained."""
    matches = [matched(str(n), score, solved="yes", updated_at=NOW) for n, score in enumerate(scores)]
    ranked = rank(matches, NO_FACTORS, NOW)
    assert [one.score for one in ranked] == sorted(scores, reverse=True)
    assert not any(one.factors for one in ranked)


@given(st.lists(st.floats(-1, 1.2), min_size=1, max_size=8), st.integers(1, 9))
def test_a_limit_keeps_the_best(scores: list[float], limit: int) -> None:
    """With a limit the best matches are returned, as they are without one."""
    matches = [matched(str(n), score, solved="yes" if n % 2 else "no") for n, score in enumerate(scores)]
    assert rank(matches, Factors(), NOW, limit=limit) == rank(matches, Factors(), NOW)[:limit]


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_a_better_match_beyond_the_bounds_stays_first(one: float, other: float) -> None:
    """Factors reorder matches only within their bounds: a clearly better match stays first."""
    better, worse = max(one, other), min(one, other)
    first, _ = rank([matched("w", worse, solved="yes", updated_at=NOW), matched("b", better)], Factors(), NOW)
    if better > max(worse, 0) * 1.1:
        assert first.match.candidate.ticket_id == "b"
