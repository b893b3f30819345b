"""The laws of a token budget, in memory and on Valkey, where processes share it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Final, TypeVar

import pytest
import redis

from connectors.cache.memory_tokens import DailyTokens
from connectors.cache.redis_client import GuardedRedis, open_redis
from connectors.cache.redis_tokens import RedisTokens
from core.language_model import TokenBudget
from core.service_settings import CacheSettings
from runtime.token_budget import open_token_budget
from tests.rigs.proxy import Proxy
from tests.rigs.redis_server import start_valkey

_DAY_S: Final = 86_400

T = TypeVar("T")


class Clock:
    """A clock that stands still."""

    now = 20_000 * _DAY_S + 1.0

    def __call__(self) -> float:
        return self.now


Opened = Callable[[int, Clock], TokenBudget]


@pytest.fixture(scope="module", params=["memory", "valkey"])
def server(request: pytest.FixtureRequest) -> Iterator[GuardedRedis | None]:
    """A client of a real server, or None for memory."""
    if request.param == "memory":
        yield None
        return
    with start_valkey() as running, ExitStack() as stack:
        yield open_redis(running.settings, stack)


@pytest.fixture
def opened(server: GuardedRedis | None) -> Opened:
    """Opens unused budgets."""
    if server is None:
        return lambda limit, clock: DailyTokens(limit, clock=clock)
    server.client.flushall()
    return lambda limit, clock: RedisTokens(server, limit, clock=clock)


def test_a_tenant_gets_its_tokens_and_no_more(opened: Opened) -> None:
    """A call that would exceed the day's tokens is refused, and a smaller one still passes."""
    budget = opened(100, Clock())
    assert budget.reserve("acme", 60)
    assert not budget.reserve("acme", 41)
    assert budget.reserve("acme", 40)
    assert not budget.reserve("acme", 1)
    assert budget.reserve("globex", 100)


def test_a_reservation_is_corrected_to_what_was_used(opened: Opened) -> None:
    """Settling a reservation gives back unused tokens, or takes what exceeds it."""
    budget = opened(100, Clock())
    first = budget.reserve("acme", 90)
    assert first
    budget.settle(first, 20)
    second = budget.reserve("acme", 80)
    assert second
    budget.settle(second, 85)
    assert not budget.reserve("acme", 1)


def test_a_day_begins_at_midnight_utc(opened: Opened) -> None:
    """Each UTC day has its own tokens, and settling a call of the day before doesn't add to them."""
    clock = Clock()
    budget = opened(100, clock)
    late = budget.reserve("acme", 100)
    assert late
    clock.now += _DAY_S - 2
    assert not budget.reserve("acme", 1)
    clock.now += 1
    assert budget.reserve("acme", 100)
    budget.settle(late, 0)
    assert not budget.reserve("acme", 1)


def test_a_clock_that_is_set_back_gives_no_tokens(opened: Opened) -> None:
    """A day's tokens are spent once, even if the clock is set back."""
    clock = Clock()
    budget = opened(100, clock)
    assert budget.reserve("acme", 100)
    clock.now -= _DAY_S
    assert not budget.reserve("acme", 1)
    clock.now += _DAY_S
    assert not budget.reserve("acme", 1)


def test_a_clock_that_was_far_ahead_withholds_no_tokens(opened: Opened) -> None:
    """Once a clock that was years ahead is right again, each day has its tokens again."""
    clock = Clock()
    budget = opened(100, clock)
    clock.now += 3_650 * _DAY_S
    assert budget.reserve("acme", 100)
    clock.now -= 3_650 * _DAY_S
    assert budget.reserve("acme", 100)
    clock.now += _DAY_S
    assert budget.reserve("acme", 100)
    assert not budget.reserve("acme", 1)


def test_zero_is_no_limit(opened: Opened) -> None:
    """A limit of 0 refuses nothing."""
    assert opened(0, Clock()).reserve("acme", 10**12)


def test_threads_never_take_more_than_there_is(opened: Opened) -> None:
    """Calls of many threads together get exactly the day's tokens."""
    budget = opened(300, Clock())
    taken: list[bool] = []

    def take() -> None:
        taken.extend(bool(budget.reserve("acme", 1)) for _ in range(100))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 300


def test_processes_share_the_budget_of_a_server() -> None:
    """Processes on one server share the budget, both the tokens taken and those given back."""
    with start_valkey() as running, ExitStack() as stack:
        first, second = (open_token_budget(running.settings, stack, tokens_per_day=100) for _ in range(2))
        taken = first.reserve("acme", 100)
        assert taken
        assert not second.reserve("acme", 1)
        first.settle(taken, 30)
        assert second.reserve("acme", 70)
        assert not first.reserve("acme", 1)


def test_in_an_outage_a_process_counts_alone() -> None:
    """During an outage of the server each process allows calls up to the whole limit."""
    with Proxy("127.0.0.1:1") as proxy:
        away = CacheSettings(url=f"redis://{proxy.address}")
    with ExitStack() as stack:
        budget = open_token_budget(away, stack, tokens_per_day=100)
        taken = budget.reserve("acme", 90)
        assert taken
        budget.settle(taken, 50)
        assert budget.reserve("acme", 50)
        assert not budget.reserve("acme", 1)


class Flapping(GuardedRedis):
    """A server that may be down."""

    down = False

    def call(self, ask: Callable[[redis.Redis], T]) -> T | None:
        """See `GuardedRedis`."""
        return None if self.down else super().call(ask)


def test_what_was_reserved_in_an_outage_is_counted_once_it_is_over() -> None:
    """A call that began while the server was down gives back no tokens that the server hadn't counted."""
    with start_valkey() as running, ExitStack() as stack:
        server = open_redis(running.settings, stack)
        flapping = Flapping(server.client)
        budget, other = (RedisTokens(one, 100, clock=Clock()) for one in (flapping, server))
        assert other.reserve("acme", 50)
        flapping.down = True
        taken = budget.reserve("acme", 40)
        assert taken
        flapping.down = False
        budget.settle(taken, 30)
        assert not other.reserve("acme", 21)
        assert other.reserve("acme", 20)


def test_a_count_is_forgotten_after_its_day() -> None:
    """Keys on the server expire, also after a late settlement."""
    with start_valkey() as running, ExitStack() as stack:
        server = open_redis(running.settings, stack)
        budget = RedisTokens(server, 100, clock=Clock())
        taken = budget.reserve("acme", 10)
        assert taken
        (key,) = server.client.keys()
        assert 0 < server.client.ttl(key) <= 2 * _DAY_S
        server.client.flushall()
        budget.settle(taken, 5)
        assert server.client.keys() == []
