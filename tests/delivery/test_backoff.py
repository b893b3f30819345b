"""How long to wait after an outage."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from core.errors import TransientError
from delivery.backoff import RETRY_AFTER_MAX_S, Backoff


@given(st.integers(0, 10_000), st.integers(0, 2**31))
def test_a_delay_is_below_the_doubled_base_and_the_cap(attempt: int, seed: int) -> None:
    """A delay has full jitter, is capped, and doesn't overflow at any number of attempts."""
    delay = Backoff(base_s=0.1, cap_s=5, rng=Random(seed)).delay_s(attempt, TransientError("out"))
    assert 0 <= delay <= min(5, 0.1 * 2 ** min(attempt, 60))


def test_delays_differ() -> None:
    """Delays differ, so that many workers don't retry at once."""
    backoff = Backoff(base_s=1, cap_s=60, rng=Random(1))
    assert len({backoff.delay_s(5, TransientError("out")) for _ in range(50)}) > 40


def test_a_retry_after_is_honoured_up_to_its_cap() -> None:
    """The delay is at least the Retry-After, but never more than the cap."""
    backoff = Backoff(base_s=0.1, cap_s=1, rng=Random(1))
    assert backoff.delay_s(0, TransientError("busy", retry_after_s=7)) >= 7
    assert backoff.delay_s(0, TransientError("busy", retry_after_s=86_400)) <= RETRY_AFTER_MAX_S + 1
