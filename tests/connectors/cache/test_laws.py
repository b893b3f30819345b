"""The laws of a cache and of a rate limiter, over memory, and over Valkey and Redis with TLS and a password."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.cache.memory import MemoryCache, MemoryLimiter
from connectors.cache.redis import RedisCache, RedisLimiter
from connectors.cache.redis_client import GuardedRedis, open_redis
from core.cache import PARTS, Cache, RateLimiter, Subject
from tests.rigs.redis_server import start_redis_with_tls, start_valkey_with_tls
from tests.rigs.waiting import wait_until

KINDS: Final = ("memory", "valkey-tls", "redis-tls")
#: A whole number of windows since 1970, far from 0.
START: Final = 1_800_000_000.0


class Clock:
    """A clock that stands still."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedRedis | None]:
    """A client of the real server, or None for memory."""
    if request.param == "memory":
        yield None
        return
    folder = tmp_path_factory.mktemp("redis")
    start = start_valkey_with_tls if request.param == "valkey-tls" else start_redis_with_tls
    with start(folder) as running, ExitStack() as stack:
        yield open_redis(running.settings, stack)


@pytest.fixture
def cache(server: GuardedRedis | None) -> Cache:
    """An empty cache."""
    if server is None:
        return MemoryCache(max_bytes=10**6)
    server.client.flushall()
    return RedisCache(server)


@pytest.fixture
def limiter_of(server: GuardedRedis | None) -> Callable[[Clock, float], RateLimiter]:
    """Makes limiters that have counted nothing."""
    if server is None:
        return lambda clock, window_s: MemoryLimiter(window_s=window_s, clock=clock)
    server.client.flushall()
    return lambda clock, window_s: RedisLimiter(server, window_s=window_s, clock=clock)


@pytest.mark.parametrize("value", [b"", b"\x00\xff", b"x" * 100_000])
def test_what_was_put_is_found(cache: Cache, value: bytes) -> None:
    """A value is found as it was put, by its own key alone."""
    cache.put("k", value, ttl_s=60)
    assert cache.get("k") == value
    assert cache.get("other") is None


def test_a_value_is_replaced_and_deleted(cache: Cache) -> None:
    """The last value counts, and a deleted one is gone."""
    cache.put("k", b"1", ttl_s=60)
    cache.put("k", b"2", ttl_s=60)
    assert cache.get("k") == b"2"
    cache.delete("k")
    cache.delete("k")
    assert cache.get("k") is None


def test_a_value_expires(cache: Cache) -> None:
    """A value is forgotten after its time to live."""
    cache.put("short", b"1", ttl_s=0.05)
    cache.put("long", b"1", ttl_s=600)
    wait_until(lambda: cache.get("short") is None)
    assert cache.get("long") == b"1"


def test_a_value_that_is_too_large_leaves_no_older_one(cache: Cache) -> None:
    """A value that is too large to keep deletes the previous one."""
    cache.put("k", b"1", ttl_s=60)
    cache.put("k", b"x" * 2_000_000, ttl_s=60)
    assert cache.get("k") is None


def test_a_limit_is_kept_and_gives_way(limiter_of: Callable[[Clock, float], RateLimiter]) -> None:
    """As many requests as the limit are allowed, and the next one once the announced wait is over."""
    clock = Clock()
    limiter, subject = limiter_of(clock, 300.0), Subject("u", 5)
    answers = [limiter.take([subject])[0] for _ in range(7)]
    assert [answer.allowed for answer in answers] == [True] * 5 + [False] * 2
    assert [answer.remaining for answer in answers] == [4, 3, 2, 1, 0, 0, 0]
    assert answers[-1].wait_s == pytest.approx(330)
    clock.now += answers[-1].wait_s - 0.01
    assert not limiter.take([subject])[0].allowed
    clock.now += 0.02
    assert limiter.take([subject])[0].allowed


def test_a_clock_that_is_set_back_delays_for_two_windows_at_most(
    limiter_of: Callable[[Clock, float], RateLimiter],
) -> None:
    """Requests that were counted at a later time are forgotten, or count until two windows have passed."""
    clock, subject = Clock(), Subject("u", 1)
    limiter = limiter_of(clock, 300.0)
    assert limiter.take([subject])[0].allowed
    clock.now -= 290
    assert not limiter.take([subject])[0].allowed
    clock.now += 600 + 60
    assert limiter.take([subject])[0].allowed
    clock.now -= 3_600
    assert limiter.take([subject])[0].allowed


def test_a_refused_request_counts_for_nobody(limiter_of: Callable[[Clock, float], RateLimiter]) -> None:
    """A request that one subject refuses is not counted for the others."""
    limiter, user, tenant = limiter_of(Clock(), 300.0), Subject("u", 1), Subject("t", 10)
    assert [answer.remaining for answer in limiter.take([user, tenant])] == [0, 9]
    for _ in range(5):
        assert [answer.allowed for answer in limiter.take([user, tenant])] == [False, True]
    assert limiter.take([tenant])[0].remaining == 8


def test_many_at_once_get_the_limit_exactly(limiter_of: Callable[[Clock, float], RateLimiter]) -> None:
    """Threads that ask concurrently are allowed exactly as often as the limit says."""
    limiter, allowed = limiter_of(Clock(), 300.0), list[bool]()

    def ask() -> None:
        allowed.extend(limiter.take([Subject("u", 40)])[0].allowed for _ in range(20))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(allowed) == 40
    assert len(allowed) == 80


@given(
    limit=st.integers(1, 6),
    asked=st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 120)), max_size=60),
)
def test_no_window_has_more_than_the_limit(limit: int, asked: list[tuple[str, float]]) -> None:
    """No span of a window's length has more requests than the limit, and nobody waits much longer than a window."""
    clock, allowed = Clock(), {"a": list[float](), "b": list[float]()}
    limiter = MemoryLimiter(window_s=300.0, clock=clock)
    for key, later in asked:
        clock.now += later
        answer = limiter.take([Subject(key, limit)])[0]
        recent = [at for at in allowed[key] if at > clock.now - 300.0]
        older = [at for at in allowed[key] if at > clock.now - 300.0 * (PARTS + 1) / PARTS]
        assert not (answer.allowed and len(recent) >= limit)
        assert answer.allowed or len(older) >= limit
        if answer.allowed:
            allowed[key].append(clock.now)


def test_memory_and_server_decide_alike(server: GuardedRedis | None) -> None:
    """The script on the server and the rule in memory give the same answers to the same requests."""
    if server is None:
        pytest.skip("compares the server with memory")
    server.client.flushall()
    clock = Clock()
    limiters: list[RateLimiter] = [
        MemoryLimiter(window_s=10.0, clock=clock),
        RedisLimiter(server, window_s=10.0, clock=clock),
    ]
    subjects = [Subject("u", 3), Subject("t", 7)]
    for step in range(120):
        clock.now += (step * 7919 % 13) / 4
        wanted = subjects[: 1 + step % 2]
        first, second = ([(a.allowed, a.remaining, round(a.wait_s, 2)) for a in one.take(wanted)] for one in limiters)
        assert first == second


def test_the_server_counts_by_its_own_clock(server: GuardedRedis | None) -> None:
    """The server's clock is the default, and its counters are gone after the window."""
    if server is None:
        pytest.skip("for servers")
    server.client.flushall()
    limiter, subject = RedisLimiter(server, window_s=0.5), Subject("u", 1)
    assert limiter.take([subject])[0].allowed
    wait_until(lambda: limiter.take([subject])[0].allowed)
    wait_until(lambda: not server.client.keys("*"))
