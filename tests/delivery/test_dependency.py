"""Insisting through an outage: one probes, all come back, and nobody is over the limit."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from random import Random

import pytest

from core.errors import FatalError, RefusedError, TransientError
from delivery.backoff import Backoff
from delivery.circuit import FAILURES, CircuitBreaker, CircuitState
from delivery.concurrency import AdaptiveLimit
from delivery.dependency import Dependency, DependencyObserver
from delivery.gate import CallGate, ShutdownError

_PATIENCE_S = 10.0


class _Watch(DependencyObserver):
    def __init__(self) -> None:
        self.states: list[CircuitState] = []
        self.waits = 0
        self.successes = 0

    def succeeded(self, target: str) -> None:
        assert target == "index"
        self.successes += 1

    def failed(self, target: str, error: TransientError, state: CircuitState, delay_s: float) -> None:
        assert target == "index"
        assert str(error) == "index out"
        assert delay_s >= 0
        self.states.append(state)

    def waiting(self, target: str) -> None:
        assert target == "index"
        self.waits += 1


class _Server:
    """Out or not; counts calls and how many are under way at once."""

    def __init__(self, *, out: bool = False, seconds: float = 0.002) -> None:
        self.out = out
        self.seconds = seconds
        self.calls = 0
        self.inflight = 0
        self.most = 0
        self._lock = threading.Lock()

    def write(self) -> None:
        with self._lock:
            self.calls += 1
            self.inflight += 1
            self.most = max(self.most, self.inflight)
        time.sleep(self.seconds)
        with self._lock:
            self.inflight -= 1
        if self.out:
            raise TransientError("index out")


def _target(*, most: int = 8, cap_s: float = 0.05, watch: DependencyObserver | None = None) -> Dependency:
    backoff = Backoff(base_s=cap_s, cap_s=cap_s, rng=Random(1))
    gate = CallGate(backoff=backoff, limit=AdaptiveLimit(most=most))
    return Dependency("index", gate=gate, observer=watch or _Watch())


def _until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not done():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.001)


def _threads(target: Dependency, server: _Server, count: int) -> list[threading.Thread]:
    def run() -> None:
        with suppress(ShutdownError):
            target.call(server.write, size=1)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def _probes_alone(target: Dependency) -> bool:
    """Eight threads, an outage: once it is noticed no two calls are under way at once; then all go through."""
    server = _Server(out=True)
    threads = _threads(target, server, 8)
    _until(lambda: server.calls > 12 and server.inflight == 0)
    server.most = 0
    before = server.calls
    _until(lambda: server.calls > before + 10)
    alone = server.most == 1
    server.out = False
    for thread in threads:
        thread.join(_PATIENCE_S)
        assert not thread.is_alive()
    return alone


def test_in_an_outage_one_call_probes_and_all_resume_after_it() -> None:
    """The index that struggles to its feet is not met by all at once."""
    watch = _Watch()
    target = _target(watch=watch)
    assert _probes_alone(target)
    assert watch.successes == 8
    assert "open" in watch.states
    assert target.gate.state == "closed"


def test_the_check_catches_a_circuit_that_never_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: every thread hammers the index by itself."""

    def closed(self: CircuitBreaker, _now: float, _delay_s: float, *, probe: bool) -> None:  # noqa: ARG001
        self._failures += 1

    monkeypatch.setattr(CircuitBreaker, "failed", closed)
    assert not _probes_alone(_target(cap_s=0.005))


def test_all_resume_within_the_longest_wait() -> None:
    """An outage of many failures: the last probe is at most the cap away, and the others follow at once."""
    server = _Server(out=True)
    target = _target(cap_s=0.2)
    threads = _threads(target, server, 4)
    _until(lambda: server.calls > 15)
    server.out = False
    began = time.monotonic()
    for thread in threads:
        thread.join(_PATIENCE_S)
    assert time.monotonic() - began < 0.2 + 0.3


def test_never_more_at_once_than_the_limit() -> None:
    """However many threads there are."""
    server = _Server()
    target = _target(most=3)
    for thread in _threads(target, server, 30):
        thread.join(_PATIENCE_S)
    assert server.calls == 30
    assert server.most <= 3


def test_overload_lowers_the_limit_and_an_outage_does_not() -> None:
    """A server that is gone was not asked too much."""
    for overload, expected in ((True, 3), (False, 4)):
        target = _target(most=4)
        gate = target.gate
        for _ in range(4):
            permit = gate.acquire(lambda: None)
        gate.failed(permit, TransientError("index out", overload=overload))
        assert gate.limit == expected


def test_what_the_target_asks_for_is_waited() -> None:
    """Retry-After, by the probe too: nobody calls before it."""
    clock = [100.0]
    gate = CallGate(backoff=Backoff(base_s=0.1, cap_s=1, rng=Random(1)), clock=lambda: clock[0])
    for _ in range(FAILURES):
        delay_s = gate.failed(gate.acquire(lambda: None), TransientError("busy", retry_after_s=7))
        assert 7 <= delay_s <= 7.1
    assert gate.state == "open"
    clock[0] += 7.2
    assert gate.acquire(lambda: None).probe


def test_what_one_call_was_asked_to_wait_holds_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two others that fail after it open the circuit, and are told nothing: the probe comes when it was asked to."""
    clock = [100.0]
    gate = CallGate(backoff=Backoff(base_s=0.1, cap_s=1, rng=Random(1)), clock=lambda: clock[0])
    permits = [gate.acquire(lambda: None) for _ in range(FAILURES)]
    asked = gate.failed(permits[0], TransientError("busy", retry_after_s=30))
    for permit in permits[1:]:
        gate.failed(permit, TransientError("index out"))
    assert gate.state == "open"

    def wait(seconds: float) -> None:
        clock[0] += seconds

    monkeypatch.setattr(gate._changed, "wait", wait)
    assert gate.acquire(lambda: None).probe
    assert clock[0] >= 100 + asked


@pytest.mark.parametrize("kind", [RefusedError, FatalError, RuntimeError])
def test_what_no_retry_mends_is_passed_on_at_once(kind: type[Exception]) -> None:
    """And the next call is let in: neither a slot nor the probe is lost with it."""
    target = _target(most=1)

    def fails() -> None:
        raise kind("no")

    for _ in range(3):
        with pytest.raises(kind, match="no"):
            target.call(fails, size=1)
    server = _Server()
    target.call(server.write, size=1)
    assert server.calls == 1


def test_a_refusal_ends_an_outage() -> None:
    """Whoever refuses data is there."""
    watch = _Watch()
    target = _target(watch=watch)
    answers = [TransientError("index out")] * FAILURES + [RefusedError("no")]

    def write() -> None:
        raise answers.pop(0)

    with pytest.raises(RefusedError):
        target.call(write, size=1)
    assert target.gate.state == "closed"
    assert watch.successes == 1


def test_closing_sends_away_who_waits() -> None:
    """In an outage, for a slot, or for a pause: the worker can end."""
    server = _Server(out=True)
    target = _target(cap_s=60)
    threads = _threads(target, server, 6)
    _until(lambda: target.gate.state == "open" and server.inflight == 0)
    time.sleep(0.1)  # whoever has just failed is waiting by now
    target.gate.close()
    for thread in threads:
        thread.join(1)
        assert not thread.is_alive()
    with pytest.raises(ShutdownError):
        target.call(server.write, size=1)


def test_who_waits_for_a_turn_says_so() -> None:
    """Waiting behind an outage is no hang: the observer hears of it."""
    watch = _Watch()
    server = _Server(out=True)
    target = _target(watch=watch)
    threads = _threads(target, server, 4)
    _until(lambda: watch.waits > 5)
    server.out = False
    for thread in threads:
        thread.join(_PATIENCE_S)
