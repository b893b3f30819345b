"""The adaptive limit against simulated servers: near the best fixed limit, without being told it."""

from typing import Final

import pytest
from msgspec import Struct

from delivery.concurrency import AdaptiveLimit
from tests.delivery.server import Curve, Fixed, simulate

MOST: Final = 64


class Server(Struct, frozen=True):
    """How it takes load: calls a second of so many at once; beyond `capacity` it refuses."""

    curve: Curve
    capacity: int | None = None


SERVERS: Final = {
    "linear to a knee": Server(lambda n: 10.0 * min(n, 12)),
    "saturating with queueing": Server(lambda n: 100 * n / (n + 7)),
    "collapsing": Server(lambda n: 10.0 * n if n <= 12 else 120 * (12 / n) ** 2),
    "refusing": Server(lambda n: 10.0 * n, capacity=12),
}


def _best_fixed(server: Server) -> float:
    """Throughput of the best of the fixed limits."""
    limits = [n for n in (1, 2, 4, 8, 10, 12, 16, 24, 32, 48, MOST) if n <= (server.capacity or MOST)]
    return max(simulate(Fixed(n), server.curve, seed=1, calls=1_000, skip=100).throughput for n in limits)


def _holds(kind: type[AdaptiveLimit], server: Server, *, most: int = MOST) -> bool:
    """Within 20 % of the best fixed limit, and fewer than 1 % refused, over several runs and in each."""
    best = _best_fixed(server)
    for seed in range(4):
        found = simulate(kind(most=most), server.curve, seed=seed, calls=4_000, skip=6_000, capacity=server.capacity)
        print(f"{found.throughput / best:.3f} of the best, {found.refused:.2%} refused, limit {found.limit}")
        if found.throughput < 0.8 * best or found.refused >= 0.01:
            return False
    return True


@pytest.mark.parametrize("name", SERVERS)
def test_it_is_within_a_fifth_of_the_best_fixed_limit(name: str) -> None:
    """Whatever the server does under load; and of its calls fewer than one in a hundred are refused."""
    assert _holds(AdaptiveLimit, SERVERS[name])


class _NoDecrease(AdaptiveLimit):
    def _change(self, limit: int) -> None:
        super()._change(max(limit, self._limit))


class _NoIncrease(AdaptiveLimit):
    def _change(self, limit: int) -> None:
        super()._change(min(limit, self._limit))


@pytest.mark.parametrize("name", ["collapsing", "refusing"])
def test_a_limit_that_never_falls_is_caught(name: str) -> None:
    """The mutant stays where the server collapses, or is refused again and again."""
    assert not _holds(_NoDecrease, SERVERS[name])


@pytest.mark.parametrize("name", SERVERS)
def test_a_limit_that_never_rises_is_caught(name: str) -> None:
    """The mutant leaves most of the server idle."""
    assert not _holds(_NoIncrease, SERVERS[name])


def test_it_follows_a_server_that_changes() -> None:
    """A shard is lost and comes back: what is best then is found again."""
    limit = AdaptiveLimit(most=MOST)
    for workers in (12, 3, 12):
        server = Server(lambda n, w=workers: 10.0 * n if n <= w else 10 * w * (w / n) ** 2)  # type: ignore[misc]
        found = simulate(limit, server.curve, seed=workers, calls=4_000, skip=6_000)
        assert found.throughput > 0.8 * 10 * workers, workers


def test_calls_that_do_not_fill_the_limit_change_nothing() -> None:
    """A stream slower than the index says nothing about what the index can bear."""
    limit = AdaptiveLimit(most=8)
    began = limit.limit
    for number in range(10_000):
        limit.succeeded(limit.began(1 + number % (began - 1)), latency_s=number, size=1)
    assert limit.limit == began


def test_calls_that_fail_together_count_once() -> None:
    """Four are under way as the server tips over: that is one overload, not four."""
    limit = AdaptiveLimit(most=4)
    calls = [limit.began(n) for n in (1, 2, 3, 4)]
    for call in reversed(calls):
        limit.overloaded(call)
    assert limit.limit == 3


def test_it_is_never_below_one() -> None:
    """However often it is refused: somebody has to find out when it is better."""
    limit = AdaptiveLimit(most=4)
    for _ in range(100):
        limit.overloaded(limit.began(1))
    assert limit.limit == 1
