"""Is the other side there? While it is out one call finds out when it is back, and the others wait for its word.

The circuit breaker of Nygard's "Release It!" (2007): *closed*, calls pass; *open*, none does until a time; *half-open*,
one is under way to probe, and its outcome decides.
"""

from typing import Final, Literal

CircuitState = Literal["closed", "half-open", "open"]

#: One failure may be chance, or one call's own; as many as this with no success between them are an outage.
FAILURES: Final = 3


class Circuit:
    """Not thread-safe: `delivery.gate` guards it. `now` is in seconds of any one clock."""

    def __init__(self) -> None:
        self._state: CircuitState = "closed"
        self._failures = 0
        self._probe_at = 0.0

    @property
    def state(self) -> CircuitState:
        """Whether calls pass."""
        return self._state

    @property
    def failures(self) -> int:
        """Failures since the last success."""
        return self._failures

    def wait_s(self, now: float) -> float | None:
        """How long a call must wait before it may begin; None: until a probe's outcome is known."""
        if self._state == "closed":
            return 0.0
        return None if self._state == "half-open" else max(0.0, self._probe_at - now)

    def began(self) -> bool:
        """A call begins, as `wait_s` allowed; True when it is the probe."""
        if self._state == "closed":
            return False
        self._state = "half-open"
        return True

    def succeeded(self) -> None:
        """The other side answered, be it a refusal of what it was given."""
        self._state = "closed"
        self._failures = 0
        self._probe_at = 0.0

    def failed(self, now: float, delay_s: float, *, probe: bool) -> None:
        """A call failed on an outage; no probe begins within `delay_s`, nor before what earlier failures asked for.

        While a probe is under way it alone decides: the failure of a call from before it lets no second one start.
        """
        self._failures += 1
        self._probe_at = max(self._probe_at, now + delay_s)
        if self._state == "half-open":
            self._state = "open" if probe else "half-open"
        elif self._failures >= FAILURES:
            self._state = "open"

    def abandoned(self, *, probe: bool) -> None:
        """A call ended without an outcome; another may probe in its place, at once."""
        if probe and self._state == "half-open":
            self._state = "open"
