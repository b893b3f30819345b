"""Circuit breaker: during an outage one call probes the dependency, and the others wait for the result.

As in Nygard's "Release It!" (2007): *closed*, calls pass; *open*, none passes until a set time; *half-open*, a probe
is in flight, and its outcome decides.
"""

from typing import Final, Literal

CircuitState = Literal["closed", "half-open", "open"]

#: This many failures without a success between them are an outage. A single one may be chance, or the call's own fault.
FAILURES: Final = 3


class CircuitBreaker:
    """Not thread-safe: `delivery.gate` guards it. `now` is in seconds, always of the same clock."""

    def __init__(self) -> None:
        self._state: CircuitState = "closed"
        self._failures = 0
        self._probe_at = 0.0

    @property
    def state(self) -> CircuitState:
        """Closed, half-open or open."""
        return self._state

    @property
    def failures(self) -> int:
        """Failures since the last success."""
        return self._failures

    def wait_s(self, now: float) -> float | None:
        """How long a call must wait before it may begin; None means until the outcome of a probe is known."""
        if self._state == "closed":
            return 0.0
        return None if self._state == "half-open" else max(0.0, self._probe_at - now)

    def begin_call(self) -> bool:
        """Register a call that `wait_s` allowed. Returns True if it is the probe."""
        if self._state == "closed":
            return False
        self._state = "half-open"
        return True

    def succeeded(self) -> None:
        """Close the circuit: the dependency answered, even if it refused the data."""
        self._state = "closed"
        self._failures = 0
        self._probe_at = 0.0

    def failed(self, now: float, delay_s: float, *, probe: bool) -> None:
        """Count a call that failed on an outage. The next probe waits for `delay_s`, and for earlier failures' delays.

        While a probe is in flight only its outcome counts: a late failure of an earlier call starts no second probe.
        """
        self._failures += 1
        self._probe_at = max(self._probe_at, now + delay_s)
        if self._state == "half-open":
            self._state = "open" if probe else "half-open"
        elif self._failures >= FAILURES:
            self._state = "open"

    def abandoned(self, *, probe: bool) -> None:
        """A call ended without an outcome. If it was the probe, another call may probe at once."""
        if probe and self._state == "half-open":
            self._state = "open"
