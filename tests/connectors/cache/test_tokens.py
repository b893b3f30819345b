"""The laws of a budget of tokens."""

import threading
from collections.abc import Callable
from typing import Final

import pytest

from connectors.cache.memory_tokens import DailyTokens
from core.language_model import TokenBudget

_DAY_S: Final = 86_400


class Clock:
    """A clock that stands still."""

    now = 20_000 * _DAY_S + 1.0

    def __call__(self) -> float:
        return self.now


Opened = Callable[[int, Clock], TokenBudget]


@pytest.fixture
def opened() -> Opened:
    """Opens budgets of which nothing is used."""
    return lambda limit, clock: DailyTokens(limit, clock=clock)


def test_a_tenant_gets_its_tokens_and_no_more(opened: Opened) -> None:
    """A call that would exceed the day's tokens is refused, and a smaller one still passes."""
    budget = opened(100, Clock())
    assert budget.reserve("acme", 60)
    assert not budget.reserve("acme", 41)
    assert budget.reserve("acme", 40)
    assert not budget.reserve("acme", 1)
    assert budget.reserve("globex", 100)


def test_a_reservation_is_corrected_to_what_was_used(opened: Opened) -> None:
    """Less than was reserved is given back, and more is taken."""
    budget = opened(100, Clock())
    first = budget.reserve("acme", 90)
    assert first
    budget.settle(first, 20)
    second = budget.reserve("acme", 80)
    assert second
    budget.settle(second, 85)
    assert not budget.reserve("acme", 1)


def test_a_day_begins_at_midnight_utc(opened: Opened) -> None:
    """The next day has tokens of its own, and a call that began the day before doesn't give it more."""
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
    """A day's tokens are spent once, whatever the clock does."""
    clock = Clock()
    budget = opened(100, clock)
    assert budget.reserve("acme", 100)
    clock.now -= _DAY_S
    assert not budget.reserve("acme", 1)
    clock.now += _DAY_S
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
