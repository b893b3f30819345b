"""Measures of a ranking: examples computed by hand, and laws."""

from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maintenance.evaluation.measures import DEPTH, hit, ndcg, recall, reciprocal_rank

_IDS = st.lists(st.sampled_from("abcdefghijklmnop"), unique=True, max_size=14)
_GRADES = st.dictionaries(st.sampled_from("abcdefghijklmnop"), st.integers(1, 3), min_size=1)


def test_the_reciprocal_rank_is_of_the_first_relevant_ticket() -> None:
    """Rank 2 gives a half, and ranks beyond the depth give 0."""
    assert reciprocal_rank("abc", {"b": 1, "c": 1}) == 0.5
    assert reciprocal_rank("abc", {"z": 1}) == 0
    assert reciprocal_rank([*map(str, range(20))], {"10": 1}) == 0
    assert reciprocal_rank([*map(str, range(20))], {"9": 1}) == 0.1


def test_recall_is_of_all_relevant_tickets() -> None:
    """Recall is the share of relevant tickets in the first ten, out of at most ten."""
    assert recall("abx", {"a": 1, "b": 1, "c": 1}) == pytest.approx(2 / 3)
    assert recall([*map(str, range(10))], {str(n): 1 for n in range(30)}) == 1


def test_a_hit_is_the_first_ticket() -> None:
    """A hit needs a relevant ticket at rank 1."""
    assert (hit("ab", {"a": 1}), hit("ab", {"b": 1}), hit("", {"a": 1})) == (1, 0, 0)


def test_gains_are_discounted_by_rank() -> None:
    """A grade of 2 counts three times as much as a grade of 1."""
    assert ndcg("xab", {"a": 2, "b": 1}) == pytest.approx((3 / log2(3) + 1 / log2(4)) / (3 + 1 / log2(3)))
    assert ndcg("ba", {"a": 2, "b": 1}) < ndcg("ab", {"a": 2, "b": 1}) == 1


@given(found=_IDS, grades=_GRADES)
def test_measures_are_between_0_and_1(found: list[str], grades: dict[str, int]) -> None:
    """Every measure is in [0, 1], is 0 if nothing relevant is found, and else (except the hit) above 0."""
    values = [of(found, grades) for of in (reciprocal_rank, recall, ndcg)]
    assert all(0 <= value <= 1 + 1e-9 for value in values)
    anything = bool(set(found[:DEPTH]) & grades.keys())
    assert {value > 0 for value in values} == {anything}


@given(found=_IDS, grades=_GRADES)
def test_tickets_beyond_the_depth_do_not_count(found: list[str], grades: dict[str, int]) -> None:
    """Tickets beyond rank 10 don't change a measure."""
    for of in (reciprocal_rank, recall, ndcg):
        assert of(found, grades) == of(found[:DEPTH], grades)
