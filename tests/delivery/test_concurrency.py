"""The adaptive limit against simulated servers: it finds nearly the throughput of the best fixed limit."""

from typing import Final

import pytest
from msgspec import Struct

from delivery.concurrency import AdaptiveLimit
from tests.delivery.server import Curve, Fixed, simulate

MOST: Final = 64


class Server(Struct, frozen=True):
    """Throughput in calls a second by concurrency; calls beyond `capacity` are refused."""

    curve: Curve
    capacity: int | None = None


SERVERS: Final = {
    "linear to a knee": Server(lambda n: 10.0 * min(n, 12)),
    "saturating with queueing": Server(lambda n: 100 * n / (n + 7)),
    "collapsing": Server(lambda n: 10.0 * n if n <= 12 else 120 * (12 / n) ** 2),
    "refusing": Server(lambda n: 10.0 * n, capacity=12),
}


def _best_fixed(server: Server) -> float:
    """Throughput of the best fixed limit."""
    limits = [n for n in (1, 2, 4, 8, 10, 12, 16, 24, 32, 48, MOST) if n <= (server.capacity or MOST)]
    return max(simulate(Fixed(n), server.curve, seed=1, calls=1_000, skip=100).throughput for n in limits)


def _holds(kind: type[AdaptiveLimit], server: Server, *, most: int = MOST) -> bool:
    """Each of several runs is within 20 % of the best fixed limit, with fewer than 1 % of its calls refused."""
    best = _best_fixed(server)
    for seed in range(4):
        found = simulate(
            kind(max_limit=most), server.curve, seed=seed, calls=4_000, skip=6_000, capacity=server.capacity
        )
        print(f"{found.throughput / best:.3f} of the best, {found.refused:.2%} refused, limit {found.limit}")
        if found.throughput < 0.8 * best or found.refused >= 0.01:
            return False
    return True


@pytest.mark.parametrize("name", SERVERS)
def test_it_is_within_a_fifth_of_the_best_fixed_limit(name: str) -> None:
    """On every server the throughput is within 20 % of the best fixed limit, and under 1 % of calls are refused."""
    assert _holds(AdaptiveLimit, SERVERS[name])


class _NoDecrease(AdaptiveLimit):
    def _change(self, limit: int) -> None:
        super()._change(max(limit, self._limit))


class _NoIncrease(AdaptiveLimit):
    def _change(self, limit: int) -> None:
        super()._change(min(limit, self._limit))


@pytest.mark.parametrize("name", ["collapsing", "refusing"])
def test_a_limit_that_never_falls_is_caught(name: str) -> None:
    """A mutant that never lowers the limit stays where the server collapses, or keeps being refused."""
    assert not _holds(_NoDecrease, SERVERS[name])


@pytest.mark.parametrize("name", SERVERS)
def test_a_limit_that_never_rises_is_caught(name: str) -> None:
    """A mutant that never raises the limit leaves most of the server idle."""
    assert not _holds(_NoIncrease, SERVERS[name])


def test_it_follows_a_server_that_changes() -> None:
    """When a shard is lost and comes back, the limit finds each new optimum."""
    limit = AdaptiveLimit(max_limit=MOST)
    for workers in (12, 3, 12):
        server = Server(lambda n, w=workers: 10.0 * n if n <= w else 10 * w * (w / n) ** 2)  # type: ignore[misc]
        found = simulate(limit, server.curve, seed=workers, calls=4_000, skip=6_000)
        assert found.throughput > 0.8 * 10 * workers, workers


@pytest.mark.parametrize("seed", range(4))
def test_a_server_that_only_queues_is_not_filled(seed: int) -> None:
    """A limit that gains no throughput falls, so that fewer calls queue in the server."""
    server = SERVERS["linear to a knee"]
    assert (
        simulate(AdaptiveLimit(max_limit=MOST), server.curve, seed=seed, calls=4_000, skip=6_000).limit < MOST * 3 / 4
    )


def test_calls_that_do_not_fill_the_limit_change_nothing() -> None:
    """Calls below the limit leave it alone: a stream slower than the index shows nothing about its capacity."""
    limit = AdaptiveLimit(max_limit=8)
    began = limit.limit
    for number in range(10_000):
        limit.succeeded(limit.begin_call(1 + number % (began - 1)), latency_s=number, size=1)
    assert limit.limit == began


def test_calls_that_fail_together_count_once() -> None:
    """Four calls in flight that are all refused lower the limit once."""
    limit = AdaptiveLimit(max_limit=4)
    calls = [limit.begin_call(n) for n in (1, 2, 3, 4)]
    for call in reversed(calls):
        limit.overloaded(call)
    assert limit.limit == 3


def test_it_is_never_below_one() -> None:
    """The limit never falls below one, so that a recovery is noticed."""
    limit = AdaptiveLimit(max_limit=4)
    for _ in range(100):
        limit.overloaded(limit.begin_call(1))
    assert limit.limit == 1
