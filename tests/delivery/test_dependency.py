"""Retries through an outage: one call probes, then all resume, within the limit."""

import threading
import time
from contextlib import suppress
from random import Random

import pytest

from core.errors import FatalError, RefusedError, TransientError
from delivery.backoff import Backoff
from delivery.circuit import FAILURES, CircuitBreaker, CircuitState
from delivery.concurrency import AdaptiveLimit
from delivery.dependency import Dependency, DependencyObserver
from delivery.gate import CallGate, ShutdownError
from tests.rigs.waiting import PATIENCE_S, wait_until


class _Watch(DependencyObserver):
    def __init__(self) -> None:
        self.states: list[CircuitState] = []
        self.waits = 0
        self.successes = 0

    def succeeded(self, dependency: str) -> None:
        assert dependency == "index"
        self.successes += 1

    def failed(self, dependency: str, error: TransientError, state: CircuitState, delay_s: float) -> None:
        assert dependency == "index"
        assert str(error) == "index out"
        assert delay_s >= 0
        self.states.append(state)

    def waiting(self, dependency: str) -> None:
        assert dependency == "index"
        self.waits += 1


class _Server:
    """A dependency that is out or not; counts calls, and how many are in flight at once."""

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


def _dependency(*, most: int = 8, cap_s: float = 0.05, watch: DependencyObserver | None = None) -> Dependency:
    backoff = Backoff(base_s=cap_s, cap_s=cap_s, rng=Random(1))
    gate = CallGate(backoff=backoff, limit=AdaptiveLimit(max_limit=most))
    return Dependency("index", gate=gate, observer=watch or _Watch())


def _threads(dependency: Dependency, server: _Server, count: int) -> list[threading.Thread]:
    def run() -> None:
        with suppress(ShutdownError):
            dependency.call(server.write, size=1)

    threads = [threading.Thread(target=run, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def _probes_alone(dependency: Dependency) -> bool:
    """Whether eight threads never make two calls at once after an outage is noticed; then all succeed."""
    server = _Server(out=True)
    threads = _threads(dependency, server, 8)
    wait_until(lambda: server.calls > 12 and server.inflight == 0, every_s=0.001)
    server.most = 0
    before = server.calls
    wait_until(lambda: server.calls > before + 10, every_s=0.001)
    alone = server.most == 1
    server.out = False
    for thread in threads:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
    return alone


def test_in_an_outage_one_call_probes_and_all_resume_after_it() -> None:
    """During an outage one call at a time probes; afterwards all threads succeed."""
    watch = _Watch()
    dependency = _dependency(watch=watch)
    assert _probes_alone(dependency)
    assert watch.successes == 8
    assert "open" in watch.states
    assert dependency.gate.state == "closed"


def test_the_check_catches_a_circuit_that_never_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant whose threads each retry on their own is caught."""

    def closed(self: CircuitBreaker, _now: float, _delay_s: float, *, probe: bool) -> None:  # noqa: ARG001
        self._failures += 1

    monkeypatch.setattr(CircuitBreaker, "failed", closed)
    assert not _probes_alone(_dependency(cap_s=0.005))


def test_all_resume_within_the_longest_wait() -> None:
    """After many failures all threads resume within the cap of the backoff, by a clock that the test moves."""
    clock = [0.0]
    gate = CallGate(backoff=Backoff(base_s=1, cap_s=1, rng=Random(1)), clock=lambda: clock[0])
    dependency = Dependency("index", gate=gate, observer=_Watch())

    def pass_the_cap() -> None:
        with gate._changed:
            clock[0] += 1
            gate._changed.notify_all()

    server = _Server(out=True)
    threads = _threads(dependency, server, 4)
    while server.calls <= 15:
        pass_the_cap()
        time.sleep(0.001)
    wait_until(lambda: gate._inflight == 0, every_s=0.001)
    server.out = False
    pass_the_cap()
    for thread in threads:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def test_calls_in_flight_never_exceed_the_limit() -> None:
    """Thirty threads make no more than three calls at once."""
    server = _Server()
    dependency = _dependency(most=3)
    for thread in _threads(dependency, server, 30):
        thread.join(PATIENCE_S)
    assert server.calls == 30
    assert server.most <= 3


def test_overload_lowers_the_limit_and_an_outage_does_not() -> None:
    """Overload lowers the limit; an outage doesn't, because it has other causes than load."""
    for overload, expected in ((True, 3), (False, 4)):
        dependency = _dependency(most=4)
        gate = dependency.gate
        for _ in range(4):
            permit = gate.acquire(lambda: None)
        gate.failed(permit, TransientError("index out", overload=overload))
        assert gate.limit == expected


def test_the_probe_honours_retry_after() -> None:
    """No call is made before the Retry-After has passed, and the next one is the probe."""
    clock = [100.0]
    gate = CallGate(backoff=Backoff(base_s=0.1, cap_s=1, rng=Random(1)), clock=lambda: clock[0])
    for _ in range(FAILURES):
        delay_s = gate.failed(gate.acquire(lambda: None), TransientError("busy", retry_after_s=7))
        assert 7 <= delay_s <= 7.1
    assert gate.state == "open"
    clock[0] += 7.2
    assert gate.acquire(lambda: None).probe


def test_a_retry_after_applies_to_all_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """The probe waits for a Retry-After of one call, although later failures that opened the circuit had none."""
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
def test_a_permanent_error_is_raised_at_once(kind: type[Exception]) -> None:
    """A permanent error is raised without a retry, and its permit is free for the next call."""
    dependency = _dependency(most=1)

    def fails() -> None:
        raise kind("no")

    for _ in range(3):
        with pytest.raises(kind, match="no"):
            dependency.call(fails, size=1)
    server = _Server()
    dependency.call(server.write, size=1)
    assert server.calls == 1


def test_a_refusal_ends_an_outage() -> None:
    """A refusal of data shows that the dependency is up, and closes the circuit."""
    watch = _Watch()
    dependency = _dependency(watch=watch)
    answers = [TransientError("index out")] * FAILURES + [RefusedError("no")]

    def write() -> None:
        raise answers.pop(0)

    with pytest.raises(RefusedError):
        dependency.call(write, size=1)
    assert dependency.gate.state == "closed"
    assert watch.successes == 1


def test_closing_wakes_every_waiter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing ends every wait, for a probe, a permit or a backoff, and refuses new calls."""
    monkeypatch.setattr("delivery.gate._HEARTBEAT_S", 10 * PATIENCE_S)  # nothing else wakes them
    server = _Server(out=True)
    dependency = _dependency(cap_s=10 * PATIENCE_S)
    threads = _threads(dependency, server, 6)
    wait_until(lambda: dependency.gate.state == "open" and server.inflight == 0, every_s=0.001)
    time.sleep(0.1)  # a call that has just failed is waiting by now
    dependency.gate.close()
    for thread in threads:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
    with pytest.raises(ShutdownError):
        dependency.call(server.write, size=1)


def test_a_waiting_call_reports() -> None:
    """Calls that wait during an outage report to the observer, so that they don't count as hanging."""
    watch = _Watch()
    server = _Server(out=True)
    dependency = _dependency(watch=watch)
    threads = _threads(dependency, server, 4)
    wait_until(lambda: watch.waits > 5, every_s=0.001)
    server.out = False
    for thread in threads:
        thread.join(PATIENCE_S)
