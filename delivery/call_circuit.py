"""A circuit breaker for calls that fail at once instead of waiting, such as those of a language model."""

import threading
import time
from collections.abc import Callable

from core.errors import TransientError
from delivery.backoff import Backoff
from delivery.circuit import CircuitBreaker, CircuitState


class CallCircuit:
    """Each allowed call reports its outcome. Thread-safe.

    A failure that is reported while a probe is in flight counts as the probe's, even if it is another call's: the next
    probe then waits a little longer.
    """

    def __init__(self, *, backoff: Backoff, probe_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """A probe without an outcome after `probe_s` seconds is abandoned, and another call may probe."""
        self._backoff = backoff
        self._probe_s = probe_s
        self._clock = clock
        self._circuit = CircuitBreaker()
        self._probe_began = 0.0
        self._lock = threading.Lock()

    @property
    def state(self) -> CircuitState:
        """Closed, half-open or open."""
        return self._circuit.state

    def allow(self) -> bool:
        """Whether a call may be made now."""
        with self._lock:
            now = self._clock()
            if self._circuit.state == "half-open" and now - self._probe_began >= self._probe_s:
                self._circuit.abandoned(probe=True)
            if self._circuit.wait_s(now) != 0:
                return False
            if self._circuit.begin_call():
                self._probe_began = now
            return True

    def success(self) -> None:
        """A call succeeded, or failed by its own fault: the dependency answers."""
        with self._lock:
            self._circuit.succeeded()

    def failure(self, error: TransientError | None = None) -> None:
        """A call failed. A Retry-After of `error` delays the next probe."""
        with self._lock:
            delay_s = self._backoff.delay_s(self._circuit.failures, error)
            self._circuit.failed(self._clock(), delay_s, probe=self._circuit.state == "half-open")

    def abandoned(self) -> None:
        """A call ended without an outcome: its caller stopped it."""
        with self._lock:
            self._circuit.abandoned(probe=True)
