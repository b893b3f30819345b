"""The circuit breaker: one call probes during an outage."""

import pytest

from delivery.circuit import FAILURES, CircuitBreaker


def _opened(now: float = 100.0, delay_s: float = 2.0) -> CircuitBreaker:
    circuit = CircuitBreaker()
    for _ in range(FAILURES):
        circuit.begin_call()
        circuit.failed(now, delay_s, probe=False)
    assert circuit.state == "open"
    return circuit


def test_few_failures_leave_it_closed() -> None:
    """The circuit stays closed below the number of failures, and a success resets the count."""
    circuit = CircuitBreaker()
    for _ in range(10):
        for _ in range(FAILURES - 1):
            circuit.failed(0, 9, probe=False)
        assert circuit.wait_s(0) == 0
        circuit.succeeded()
    assert circuit.state == "closed"


def test_no_call_passes_until_the_probe_is_due() -> None:
    """While it is open all calls wait; then one is the probe, and the others wait for its outcome."""
    circuit = _opened(now=100, delay_s=2)
    assert circuit.wait_s(100.5) == 1.5
    assert circuit.wait_s(102) == 0
    assert circuit.begin_call() is True
    assert circuit.state == "half-open"
    assert circuit.wait_s(1_000) is None


def test_the_probe_decides() -> None:
    """A failed probe opens it again; a successful one closes it and resets the count."""
    circuit = _opened(now=100, delay_s=2)
    circuit.begin_call()
    circuit.failed(103, 4, probe=True)
    assert (circuit.state, circuit.wait_s(103)) == ("open", 4)
    circuit.begin_call()
    circuit.succeeded()
    assert (circuit.wait_s(104), circuit.failures) == (0, 0)
    assert circuit.begin_call() is False


def test_late_failures_delay_the_probe_and_never_advance_it() -> None:
    """A call from before it opened may delay the probe by a longer Retry-After, and a shorter one changes nothing."""
    circuit = _opened(now=100, delay_s=2)
    circuit.failed(100, 1, probe=False)
    assert circuit.wait_s(100) == 2
    circuit.failed(100, 30, probe=False)
    assert circuit.wait_s(100) == 30


def test_the_longest_retry_after_since_a_success_is_honoured() -> None:
    """A Retry-After of 30 s holds although later failures had none; a success ends it."""
    circuit = CircuitBreaker()
    circuit.failed(100, 30, probe=False)
    for _ in range(FAILURES - 1):
        circuit.failed(100, 0.2, probe=False)
    assert (circuit.state, circuit.wait_s(100)) == ("open", 30)
    circuit.begin_call()
    circuit.succeeded()
    for _ in range(FAILURES):
        circuit.failed(101, 0.2, probe=False)
    assert circuit.wait_s(101) == pytest.approx(0.2), "a success ends the Retry-After"


def test_a_late_failure_lets_no_second_probe_begin() -> None:
    """When an earlier call fails during a probe, only the probe's outcome counts."""
    circuit = _opened(now=100, delay_s=2)
    circuit.begin_call()
    circuit.failed(103, 4, probe=False)
    assert (circuit.state, circuit.wait_s(1_000)) == ("half-open", None)
    circuit.failed(104, 0.5, probe=True)
    assert (circuit.state, circuit.wait_s(104)) == ("open", 3)


def test_another_call_replaces_a_probe_without_an_outcome() -> None:
    """If the probing thread fails by itself, another call may probe at once."""
    circuit = _opened(now=100, delay_s=2)
    circuit.begin_call()
    circuit.abandoned(probe=False)
    assert circuit.wait_s(102) is None, "the end of another call doesn't concern the probe"
    circuit.abandoned(probe=True)
    assert circuit.wait_s(102) == 0
