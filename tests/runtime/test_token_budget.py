"""Tokens per tenant and day."""

import threading

from runtime.token_budget import DailyTokens

_DAY_S = 86_400


class _Clock:
    now = 20_000 * _DAY_S + 1.0

    def __call__(self) -> float:
        return self.now


def test_a_tenant_gets_its_tokens_and_no_more() -> None:
    """A call that would exceed the day's tokens is refused, and a smaller one still passes."""
    budget = DailyTokens(100, clock=_Clock())
    assert budget.reserve("acme", 60)
    assert not budget.reserve("acme", 41)
    assert budget.reserve("acme", 40)
    assert budget.reserve("globex", 100)


def test_what_a_call_did_not_use_is_given_back() -> None:
    """A reservation is corrected to what was used, be it less or more."""
    budget = DailyTokens(100, clock=_Clock())
    first = budget.reserve("acme", 90)
    assert first
    budget.settle(first, 20)
    second = budget.reserve("acme", 80)
    assert second
    budget.settle(second, 85)
    assert not budget.reserve("acme", 1)


def test_a_day_begins_at_midnight_utc() -> None:
    """The next day has tokens of its own, and a call that began the day before doesn't give it more."""
    clock = _Clock()
    budget = DailyTokens(100, clock=clock)
    late = budget.reserve("acme", 100)
    assert late
    clock.now += _DAY_S - 2
    assert not budget.reserve("acme", 1)
    clock.now += 1
    assert budget.reserve("acme", 100)
    budget.settle(late, 0)
    assert not budget.reserve("acme", 1)


def test_a_clock_that_is_set_back_gives_no_tokens() -> None:
    """A day's tokens are spent once, whatever the clock does."""
    clock = _Clock()
    budget = DailyTokens(100, clock=clock)
    assert budget.reserve("acme", 100)
    clock.now -= _DAY_S
    assert not budget.reserve("acme", 1)
    clock.now += _DAY_S
    assert not budget.reserve("acme", 1)


def test_zero_is_no_limit() -> None:
    """A limit of 0 refuses nothing."""
    assert DailyTokens(0, clock=_Clock()).reserve("acme", 10**12)


def test_threads_never_take_more_than_there_is() -> None:
    """Calls of many threads together get exactly the day's tokens."""
    budget = DailyTokens(1_000, clock=_Clock())
    taken: list[bool] = []

    def take() -> None:
        taken.extend(bool(budget.reserve("acme", 1)) for _ in range(500))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 1_000
