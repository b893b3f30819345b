"""The token bucket keeps a rate over any time span, except for a burst of one second."""

from random import Random

from delivery.token_bucket import TokenBucket


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_rate_is_kept() -> None:
    """No time span has more tokens than the rate allows in that span and one more second."""
    rng, clock = Random(1), _Clock()
    bucket = TokenBucket(50, clock=clock)
    passed = 0
    for _ in range(1_000):
        clock.now += rng.choice([0, 0, 0.01, 2])
        began, taken = clock.now, rng.randint(1, 200)
        clock.now += bucket.take(taken)
        passed += taken
        assert passed <= 50 * (clock.now + 1) + 1e-6
        assert clock.now - began <= 200 / 50


def test_a_new_rate_counts_from_now_on() -> None:
    """After the rate is halved, a task waits twice as long."""
    clock = _Clock()
    bucket = TokenBucket(100, clock=clock)
    bucket.take(100)
    bucket.set_rate(50)
    assert bucket.take(50) == 1.0


def test_without_a_rate_nothing_waits() -> None:
    """With None as the rate, nothing waits."""
    assert TokenBucket(None).take(10**9) == 0.0
