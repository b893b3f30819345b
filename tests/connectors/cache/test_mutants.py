"""Every fault in the rule of a rate limit is caught, in memory and on a server."""

import inspect
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from random import Random
from typing import Any, Final

import pytest

from connectors.cache import memory, redis
from connectors.cache.redis_client import GuardedRedis, open_redis
from core.cache import RateLimiter, Subject
from tests.connectors.cache.test_laws import Clock
from tests.rigs.redis_server import start_valkey

_WINDOW_S: Final = 300.0
_LIMITS: Final = {"user": 3, "tenant": 7}
IN_MEMORY: Final = {
    "one_more": ("sum(counts.values()) < subject.limit", "sum(counts.values()) <= subject.limit"),
    "count_refused_ones": ("if allowed:", "if True:"),
    "one_subject_is_enough": ("allowed = all(", "allowed = any("),
    "forget_a_part_early": ("if part - PARTS <= at", "if part - PARTS < at"),
    "forget_nothing": ("if part - PARTS <= at <=", "if at <="),
    "trust_the_clock": ("at <= part + PARTS", "at"),
    "call_too_early": ("(oldest + PARTS + 1) * part_s", "(oldest + PARTS) * part_s"),
}
ON_THE_SERVER: Final = {
    "one_more": ("if used[i] >= tonumber", "if used[i] > tonumber"),
    "count_refused_ones": ("if allowed == 1 then", "if true then"),
    "forget_a_part_early": ("if at < part - parts or", "if at <= part - parts or"),
    "forget_nothing": ("if at < part - parts or", "if"),
    "trust_the_clock": (" or at > part + parts then", " then"),
    "refuse_nobody": ("then allowed = 0 end", "then allowed = 1 end"),
    "expire_at_once": ("part_ms * (parts + 1)", "0"),
}


def keeps_its_laws(limiter_of: Callable[[Clock], RateLimiter]) -> bool:
    """Whether limits hold for every span of a window, refusals count for nobody, and waits are as long as named.

    At the end the clock, which was wrong, is set back by an hour, and nobody waits until it is there again.
    """
    clock, rng = Clock(), Random(7)
    limiter = limiter_of(clock)
    allowed: dict[str, list[float]] = {"user": [], "tenant": []}
    until: dict[str, float] = {"user": 0.0, "tenant": 0.0}
    for _ in range(400):
        clock.now += rng.choice([0.0, 0.0, 1.0, 29.9, 30.1, 61.0])
        if rng.random() < 0.2:
            clock.now = max(clock.now, until["tenant"] + 0.01)
        names = rng.choice([["user", "tenant"], ["tenant"]])
        answers = limiter.take([Subject(name, _LIMITS[name]) for name in names])
        for name, answer in zip(names, answers, strict=True):
            recent = sum(at > clock.now - _WINDOW_S for at in allowed[name])
            counting = sum(at > clock.now - 1.1 * _WINDOW_S for at in allowed[name])
            early = 0 < clock.now < until[name] - 0.001
            late = 0 < until[name] < clock.now - 0.001
            if answer.allowed and (recent >= _LIMITS[name] or early):
                return False
            if not answer.allowed and (counting < _LIMITS[name] or late):
                return False
            until[name] = 0.0 if answer.allowed else clock.now + answer.wait_s
        if all(answer.allowed for answer in answers):
            for name in names:
                allowed[name].append(clock.now)
    for _ in range(_LIMITS["user"]):
        limiter.take([Subject("user", _LIMITS["user"])])
    clock.now -= 3_600
    return limiter.take([Subject("user", _LIMITS["user"])])[0].allowed


def test_the_rule_in_memory_keeps_its_laws() -> None:
    """The rule without a fault passes."""
    assert keeps_its_laws(lambda clock: memory.MemoryLimiter(window_s=_WINDOW_S, clock=clock))


@pytest.mark.parametrize("name", IN_MEMORY)
def test_a_fault_in_memory_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule with a fault breaks a law."""
    old, new = IN_MEMORY[name]
    source = inspect.getsource(memory)
    assert old in source
    module: Any = types.ModuleType("mutant")
    monkeypatch.setitem(sys.modules, "mutant", module)
    exec(compile(source.replace(old, new), "mutant", "exec"), module.__dict__)
    assert not keeps_its_laws(lambda clock: module.MemoryLimiter(window_s=_WINDOW_S, clock=clock))


@pytest.fixture(scope="module")
def server() -> Iterator[GuardedRedis]:
    """A client of a server."""
    with start_valkey() as running, ExitStack() as stack:
        yield open_redis(running.settings, stack)


def test_the_rule_on_the_server_keeps_its_laws(server: GuardedRedis) -> None:
    """The script without a fault passes."""
    server.client.flushall()
    assert keeps_its_laws(lambda clock: redis.RedisLimiter(server, window_s=_WINDOW_S, clock=clock))


@pytest.mark.parametrize("name", ON_THE_SERVER)
def test_a_fault_on_the_server_is_caught(server: GuardedRedis, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script with a fault breaks a law."""
    old, new = ON_THE_SERVER[name]
    assert old in redis._TAKE
    monkeypatch.setattr(redis, "_TAKE", redis._TAKE.replace(old, new))
    server.client.flushall()
    assert not keeps_its_laws(lambda clock: redis.RedisLimiter(server, window_s=_WINDOW_S, clock=clock))
