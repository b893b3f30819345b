"""An outage is found out by one."""

import pytest

from delivery.circuit import FAILURES, CircuitBreaker


def _opened(now: float = 100.0, delay_s: float = 2.0) -> CircuitBreaker:
    circuit = CircuitBreaker()
    for _ in range(FAILURES):
        circuit.began()
        circuit.failed(now, delay_s, probe=False)
    assert circuit.state == "open"
    return circuit


def test_single_failures_let_the_others_pass() -> None:
    """One failure may be chance; a success starts the count anew."""
    circuit = CircuitBreaker()
    for _ in range(10):
        for _ in range(FAILURES - 1):
            circuit.failed(0, 9, probe=False)
        assert circuit.wait_s(0) == 0
        circuit.succeeded()
    assert circuit.state == "closed"


def test_while_open_nobody_passes_until_the_probe_is_due() -> None:
    """Then one does, and the others wait for its word."""
    circuit = _opened(now=100, delay_s=2)
    assert circuit.wait_s(100.5) == 1.5
    assert circuit.wait_s(102) == 0
    assert circuit.began() is True
    assert circuit.state == "half-open"
    assert circuit.wait_s(1_000) is None


def test_the_probe_decides() -> None:
    """A failure waits on; a success lets all pass, and forgets what was before."""
    circuit = _opened(now=100, delay_s=2)
    circuit.began()
    circuit.failed(103, 4, probe=True)
    assert (circuit.state, circuit.wait_s(103)) == ("open", 4)
    circuit.began()
    circuit.succeeded()
    assert (circuit.wait_s(104), circuit.failures) == (0, 0)
    assert circuit.began() is False


def test_calls_that_fail_late_put_the_probe_off_and_never_forward() -> None:
    """They were under way as it opened; one of them may have been asked to wait long."""
    circuit = _opened(now=100, delay_s=2)
    circuit.failed(100, 1, probe=False)
    assert circuit.wait_s(100) == 2
    circuit.failed(100, 30, probe=False)
    assert circuit.wait_s(100) == 30


def test_what_was_asked_before_it_opened_is_waited() -> None:
    """The first of the failures named 30 s and the last one none: since the last success the latest time holds."""
    circuit = CircuitBreaker()
    circuit.failed(100, 30, probe=False)
    for _ in range(FAILURES - 1):
        circuit.failed(100, 0.2, probe=False)
    assert (circuit.state, circuit.wait_s(100)) == ("open", 30)
    circuit.began()
    circuit.succeeded()
    for _ in range(FAILURES):
        circuit.failed(101, 0.2, probe=False)
    assert circuit.wait_s(101) == pytest.approx(0.2), "a success ends what was asked before it"


def test_a_late_failure_lets_no_second_probe_begin() -> None:
    """A call from before the outage fails while the probe is under way: the probe's outcome is waited for."""
    circuit = _opened(now=100, delay_s=2)
    circuit.began()
    circuit.failed(103, 4, probe=False)
    assert (circuit.state, circuit.wait_s(1_000)) == ("half-open", None)
    circuit.failed(104, 0.5, probe=True)
    assert (circuit.state, circuit.wait_s(104)) == ("open", 3)


def test_a_probe_without_an_outcome_is_taken_over() -> None:
    """Its thread met a fault of its own: another may probe at once, or nobody would ever again."""
    circuit = _opened(now=100, delay_s=2)
    circuit.began()
    circuit.abandoned(probe=False)
    assert circuit.wait_s(102) is None, "somebody else's end says nothing about the probe"
    circuit.abandoned(probe=True)
    assert circuit.wait_s(102) == 0
