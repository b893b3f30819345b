"""The circuit breaker of calls that fail at once instead of waiting."""

from random import Random

from core.errors import TransientError
from delivery.backoff import Backoff
from delivery.call_circuit import CallCircuit
from delivery.circuit import FAILURES


class _NoJitter(Random):
    def uniform(self, a: float, b: float) -> float:
        return max(a, b)


class _Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def _open(clock: _Clock) -> CallCircuit:
    circuit = CallCircuit(backoff=Backoff(cap_s=30, rng=_NoJitter(), base_s=1.0), probe_s=20, clock=clock)
    for _ in range(FAILURES):
        assert circuit.allow()
        circuit.failure()
    return circuit


def test_a_few_failures_open_it_and_a_probe_closes_it() -> None:
    """After three failures no call passes; later a single one does, and its success lets all pass."""
    clock = _Clock()
    circuit = _open(clock)
    assert not circuit.allow()
    clock.now += 4
    assert [circuit.allow(), circuit.allow()] == [True, False]
    circuit.success()
    assert [circuit.allow(), circuit.allow()] == [True, True]


def test_a_success_between_failures_keeps_it_closed() -> None:
    """Only failures without a success between them open it."""
    circuit = CallCircuit(backoff=Backoff(cap_s=30, rng=Random(1)), probe_s=20, clock=_Clock())
    for _ in range(3 * FAILURES):
        assert circuit.allow()
        circuit.failure()
        assert circuit.allow()
        circuit.success()


def test_a_failed_probe_opens_it_for_longer() -> None:
    """The wait doubles with each failed probe."""
    clock = _Clock()
    circuit = _open(clock)
    clock.now += 4
    assert circuit.allow()
    circuit.failure()
    clock.now += 7.9
    assert not circuit.allow()
    clock.now += 0.2
    assert circuit.allow()


def test_a_server_s_wish_to_wait_puts_the_probe_off() -> None:
    """Retry-After of the last failure is honoured."""
    clock = _Clock()
    circuit = _open(clock)
    circuit.failure(TransientError("busy", retry_after_s=50))
    clock.now += 50
    assert not circuit.allow()
    clock.now += 2
    assert circuit.allow()


def test_a_probe_that_was_stopped_is_followed_by_another() -> None:
    """A caller that stops its call leaves the circuit ready for the next probe."""
    clock = _Clock()
    circuit = _open(clock)
    clock.now += 4
    assert circuit.allow()
    circuit.abandoned()
    assert circuit.allow()


def test_a_probe_without_an_outcome_holds_nothing_up_for_ever() -> None:
    """A probe whose outcome is never reported is replaced by another in time."""
    clock = _Clock()
    circuit = _open(clock)
    clock.now += 4
    assert circuit.allow()
    clock.now += 19.9
    assert not circuit.allow()
    clock.now += 0.2
    assert circuit.allow()
