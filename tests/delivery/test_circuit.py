"""An outage is found out by one."""

from delivery.circuit import FAILURES, Circuit


def _opened(now: float = 100.0, delay_s: float = 2.0) -> Circuit:
    circuit = Circuit()
    for _ in range(FAILURES):
        circuit.began()
        circuit.failed(now, delay_s)
    assert circuit.state == "open"
    return circuit


def test_single_failures_let_the_others_pass() -> None:
    """One failure may be chance; a success starts the count anew."""
    circuit = Circuit()
    for _ in range(10):
        for _ in range(FAILURES - 1):
            circuit.failed(0, 9)
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
    circuit.failed(103, 4)
    assert (circuit.state, circuit.wait_s(103)) == ("open", 4)
    circuit.began()
    circuit.succeeded()
    assert (circuit.wait_s(104), circuit.failures) == (0, 0)
    assert circuit.began() is False


def test_calls_that_fail_late_put_the_probe_off_and_never_forward() -> None:
    """They were under way as it opened; one of them may have been asked to wait long."""
    circuit = _opened(now=100, delay_s=2)
    circuit.failed(100, 1)
    assert circuit.wait_s(100) == 2
    circuit.failed(100, 30)
    assert circuit.wait_s(100) == 30


def test_a_probe_without_an_outcome_is_taken_over() -> None:
    """Its thread met a fault of its own: another may probe at once, or nobody would ever again."""
    circuit = _opened(now=100, delay_s=2)
    circuit.began()
    circuit.abandoned(probe=False)
    assert circuit.wait_s(102) is None, "somebody else's end says nothing about the probe"
    circuit.abandoned(probe=True)
    assert circuit.wait_s(102) == 0
