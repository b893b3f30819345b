"""Admission of calls to a dependency: a bulkhead of adaptive size, with a circuit breaker.

The bulkhead limits calls in flight, and the circuit breaker lets a single call probe during an outage.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from core.errors import FatalError, TransientError
from delivery.backoff import Backoff
from delivery.circuit import CircuitBreaker, CircuitState
from delivery.concurrency import AdaptiveLimit, Call

#: Interval at which a waiting call reports, so that its wait doesn't count as a hang.
_HEARTBEAT_S: Final = 5.0


class ShutdownError(FatalError):
    """The worker shut down while a call waited; it is unknown whether the call took effect."""


class Permit(Struct, frozen=True):
    """The right to make one call; it is given back with the outcome.

    Attributes:
        call: the measurement of the adaptive limit, if there is one.
        probe: the call probes an open circuit.
    """

    call: Call | None
    probe: bool


class CallGate:
    """Gives permits for calls, and learns from their outcomes. Thread-safe."""

    def __init__(
        self, *, backoff: Backoff, limit: AdaptiveLimit | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Without `limit` any number of calls may be in flight."""
        self._backoff = backoff
        self._limit = limit
        self._clock = clock
        self._circuit = CircuitBreaker()
        self._inflight = 0
        self._closed = False
        self._changed = threading.Condition()

    @property
    def state(self) -> CircuitState:
        """State of the circuit breaker."""
        return self._circuit.state

    @property
    def limit(self) -> int | None:
        """Maximum calls in flight while the circuit is closed."""
        return None if self._limit is None else self._limit.limit

    def acquire(self, on_wait: Callable[[], None]) -> Permit:
        """Wait for a permit. `on_wait` is called every few seconds meanwhile.

        Raises:
            ShutdownError: the gate was closed.
        """
        with self._changed:
            while (wait_s := self._wait_s()) > 0:
                self._changed.wait(min(wait_s, _HEARTBEAT_S))
                on_wait()
            self._inflight += 1
            call = None if self._limit is None else self._limit.begin_call(self._inflight)
            return Permit(call, self._circuit.begin_call())

    def succeeded(self, permit: Permit, *, latency_s: float, size: int) -> None:
        """The call succeeded, with `size` items."""
        with self._changed:
            if self._limit is not None and permit.call is not None:
                self._limit.succeeded(permit.call, latency_s=latency_s, size=size)
            self._circuit.succeeded()
            self._release()

    def refused(self) -> None:
        """The call's data was refused: the dependency is up, and the latency shows nothing about its capacity."""
        with self._changed:
            self._circuit.succeeded()
            self._release()

    def failed(self, permit: Permit, error: TransientError) -> float:
        """The call failed on an outage. Returns the seconds to wait before the next attempt."""
        with self._changed:
            if self._limit is not None and permit.call is not None and error.overload:
                self._limit.overloaded(permit.call)
            delay_s = self._backoff.delay_s(self._circuit.failures, error)
            self._circuit.failed(self._clock(), delay_s, probe=permit.probe)
            self._release()
            return delay_s

    def abandoned(self, permit: Permit) -> None:
        """The call ended with an unexpected exception."""
        with self._changed:
            self._circuit.abandoned(probe=permit.probe)
            self._release()

    def back_off(self, seconds: float, on_wait: Callable[[], None]) -> None:
        """Wait out the delay of `failed`. Returns early if the circuit opens: `acquire` then waits for the probe.

        Raises:
            ShutdownError: the gate was closed.
        """
        until = self._clock() + seconds
        with self._changed:
            while not self._closed and self._circuit.state == "closed" and (left := until - self._clock()) > 0:
                self._changed.wait(min(left, _HEARTBEAT_S))
                on_wait()
            self._require_open()

    def close(self) -> None:
        """Give no more permits; calls that wait for one end with ShutdownError."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _wait_s(self) -> float:
        self._require_open()
        if self._limit is not None and self._inflight >= self._limit.limit:
            return _HEARTBEAT_S
        wait_s = self._circuit.wait_s(self._clock())
        return _HEARTBEAT_S if wait_s is None else wait_s

    def _require_open(self) -> None:
        if self._closed:
            raise ShutdownError("the worker is shutting down")

    def _release(self) -> None:
        self._inflight -= 1
        self._changed.notify_all()
