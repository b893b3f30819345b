"""The breaker: it stops the stream when nearly all records are bad, and not before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import FatalError
from delivery.breaker import DeadLetterBreaker


def _trips_after(breaker: DeadLetterBreaker, batches: list[tuple[int, int]]) -> int | None:
    """The number of bad records that passed before it tripped, or None. A batch is (records, bad records)."""
    through = 0
    for records, bad in batches:
        try:
            breaker.add_batch(records, ["bad_json"] * bad)
        except FatalError:
            return through
        through += bad
    return None


def test_a_topic_of_broken_records_trips_it_within_a_window() -> None:
    """Fewer than 1,000 of 10,000 are dead-lettered; the message says how many, why, and what to do."""
    breaker = DeadLetterBreaker(share=0.9, window=1_000)
    through = _trips_after(breaker, [(256, 256)] * 40)
    assert through is not None
    assert through < 1_000
    with pytest.raises(
        FatalError, match=r"^1,024 of the last 1,024 records can't be used, 768 of them for bad_json"
    ) as stop:
        breaker.add_batch(256, ["bad_key"] * 256)
    assert "\n" not in str(stop.value)
    assert "TICKETS_WRITER__MAX_REJECTED_SHARE" in str(stop.value)
    assert stop.value.exit_code == 1


@pytest.mark.parametrize("batch", [10, 256])
def test_30_percent_bad_records_do_not_trip_it(batch: int) -> None:
    """With 30 % bad records it never trips."""
    breaker = DeadLetterBreaker(share=0.9, window=1_000)
    assert _trips_after(breaker, [(batch, batch * 3 // 10)] * 1_000) is None


def test_a_short_topic_of_bad_records_does_not_trip_it() -> None:
    """The breaker doesn't trip before a whole window of records."""
    breaker = DeadLetterBreaker(share=0.9, window=1_000)
    assert _trips_after(breaker, [(1, 1)] * 999) is None
    with pytest.raises(FatalError):
        breaker.add_batch(1, ["bad_json"])


def test_good_records_long_ago_do_not_delay_it() -> None:
    """Only recent records count: it trips after 800 bad ones, however many good ones came before."""
    breaker = DeadLetterBreaker(share=0.9, window=1_000)
    through = _trips_after(breaker, [(100, 0)] * 10_000 + [(100, 100)] * 100)
    assert through == 800


def test_a_share_of_0_switches_it_off() -> None:
    """A share of 0 disables it."""
    assert _trips_after(DeadLetterBreaker(share=0, window=10), [(100, 100)] * 100) is None


def test_refusals_of_the_index_count_once() -> None:
    """A batch that is refused after it was added counts as bad, once."""
    breaker = DeadLetterBreaker(share=0.95, window=100)
    for _ in range(9):
        breaker.add_refusals(breaker.add_batch(10, []), ["bad_point"] * 10)
    seen = breaker.add_batch(10, [])
    with pytest.raises(FatalError, match=r"100 of the last 100 .* 100 of them for bad_point"):
        breaker.add_refusals(seen, ["bad_point"] * 10)


def test_a_refusal_of_a_batch_outside_the_window_is_ignored() -> None:
    """A late refusal doesn't count when its batch has left the window."""
    breaker = DeadLetterBreaker(share=0.5, window=10)
    late = breaker.add_batch(10, [])
    for _ in range(3):
        breaker.add_batch(10, [])
    breaker.add_refusals(late, ["bad_point"] * 10)
    breaker.add_batch(10, [])


@given(st.lists(st.tuples(st.integers(1, 50), st.floats(0, 1)), max_size=80), st.integers(1, 200))
def test_it_agrees_with_a_naive_count(batches: list[tuple[int, float]], window: int) -> None:
    """The breaker trips exactly when a naive count over the last batches reaches the share."""
    breaker = DeadLetterBreaker(share=0.8, window=window)
    seen: list[tuple[int, int]] = []
    for records, share in batches:
        bad = round(records * share)
        seen.append((records, bad))
        while sum(r for r, _ in seen[1:]) >= window:
            seen.pop(0)
        total = sum(r for r, _ in seen)
        expected = total >= window and sum(b for _, b in seen) >= 0.8 * total
        try:
            breaker.add_batch(records, ["bad"] * bad)
        except FatalError:
            assert expected
        else:
            assert not expected
