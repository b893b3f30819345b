"""Nearly everything bad stops the stream; much that is bad does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import FatalError
from delivery.breaker import DeadLetterBreaker


def _trips_after(breaker: DeadLetterBreaker, batches: list[tuple[int, int]]) -> int | None:
    """How many bad records were let through before it tripped, or None. A batch is (records, bad ones)."""
    through = 0
    for records, bad in batches:
        try:
            breaker.add_batch(records, ["bad_json"] * bad)
        except FatalError:
            return through
        through += bad
    return None


def test_a_topic_of_broken_records_trips_it_in_a_window() -> None:
    """Of 10,000 fewer than 1,000 are dead-lettered; the line says how many, why, and what to do."""
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
def test_a_third_broken_does_not(batch: int) -> None:
    """They are dead-lettered, and the good ones go on."""
    breaker = DeadLetterBreaker(share=0.9, window=1_000)
    assert _trips_after(breaker, [(batch, batch * 3 // 10)] * 1_000) is None


def test_a_short_topic_of_broken_records_does_not() -> None:
    """Fewer than a window say nothing yet."""
    breaker = DeadLetterBreaker(share=0.9, window=1_000)
    assert _trips_after(breaker, [(1, 1)] * 999) is None
    with pytest.raises(FatalError):
        breaker.add_batch(1, ["bad_json"])


def test_a_day_that_begins_bad_after_a_good_week_trips_it_as_soon() -> None:
    """Only the last records count."""
    breaker = DeadLetterBreaker(share=0.9, window=1_000)
    through = _trips_after(breaker, [(100, 0)] * 10_000 + [(100, 100)] * 100)
    assert through == 800


def test_a_share_of_0_switches_it_off() -> None:
    """For whoever wants every broken record moved."""
    assert _trips_after(DeadLetterBreaker(share=0, window=10), [(100, 100)] * 100) is None


def test_what_the_index_refuses_counts_too_and_once() -> None:
    """A batch that looked good at first and was refused as a whole."""
    breaker = DeadLetterBreaker(share=0.95, window=100)
    for _ in range(9):
        breaker.add_refusals(breaker.add_batch(10, []), ["bad_point"] * 10)
    seen = breaker.add_batch(10, [])
    with pytest.raises(FatalError, match=r"100 of the last 100 .* 100 of them for bad_point"):
        breaker.add_refusals(seen, ["bad_point"] * 10)


def test_a_refusal_that_comes_after_the_window_has_passed_counts_for_nothing() -> None:
    """Its batch is no longer among the last."""
    breaker = DeadLetterBreaker(share=0.5, window=10)
    late = breaker.add_batch(10, [])
    for _ in range(3):
        breaker.add_batch(10, [])
    breaker.add_refusals(late, ["bad_point"] * 10)
    breaker.add_batch(10, [])


@given(st.lists(st.tuples(st.integers(1, 50), st.floats(0, 1)), max_size=80), st.integers(1, 200))
def test_it_trips_exactly_when_the_last_batches_say_so(batches: list[tuple[int, float]], window: int) -> None:
    """Against the plainest count there is."""
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
