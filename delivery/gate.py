"""Who may call a target now: as many as its adaptive limit says, and one alone while it is out."""

import threading
import time
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from core.errors import FatalError, TransientError
from delivery.backoff import Backoff
from delivery.circuit import Circuit, CircuitState
from delivery.concurrency import AdaptiveLimit, Call

#: Who waits says so this often, in seconds: a wait for a turn is no hang.
_HEARTBEAT_S: Final = 5.0


class ShutdownError(FatalError):
    """The worker stops while a call waits; nothing is known about its effect."""


class Entry(Struct, frozen=True):
    """A call under way."""

    call: Call | None
    probe: bool


class Gate:
    """Thread-safe."""

    def __init__(
        self, *, backoff: Backoff, limit: AdaptiveLimit | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`limit` None: as many as come."""
        self._backoff = backoff
        self._limit = limit
        self._clock = clock
        self._circuit = Circuit()
        self._inflight = 0
        self._closed = False
        self._changed = threading.Condition()

    @property
    def state(self) -> CircuitState:
        """Of the circuit."""
        return self._circuit.state

    @property
    def limit(self) -> int | None:
        """How many calls may be under way now, in good times."""
        return None if self._limit is None else self._limit.limit

    def enter(self, on_wait: Callable[[], None]) -> Entry:
        """Wait for a turn. `on_wait` is called every few seconds meanwhile.

        Raises:
            ShutdownError: the gate was closed.
        """
        with self._changed:
            while (wait_s := self._wait_s()) > 0:
                self._changed.wait(min(wait_s, _HEARTBEAT_S))
                on_wait()
            self._inflight += 1
            call = None if self._limit is None else self._limit.began(self._inflight)
            return Entry(call, self._circuit.began())

    def succeeded(self, entry: Entry, *, latency_s: float, size: int) -> None:
        """The call wrote `size` points."""
        with self._changed:
            if self._limit is not None and entry.call is not None:
                self._limit.succeeded(entry.call, latency_s=latency_s, size=size)
            self._circuit.succeeded()
            self._leave()

    def answered(self) -> None:
        """The call was refused for what it brought: the target is there, and its latency says nothing."""
        with self._changed:
            self._circuit.succeeded()
            self._leave()

    def failed(self, entry: Entry, error: TransientError) -> float:
        """The call failed on an outage. Returns how long its caller should wait before it comes again, in seconds."""
        with self._changed:
            if self._limit is not None and entry.call is not None and error.overload:
                self._limit.overloaded(entry.call)
            delay_s = self._backoff.delay_s(self._circuit.failures, error)
            self._circuit.failed(self._clock(), delay_s, probe=entry.probe)
            self._leave()
            return delay_s

    def abandoned(self, entry: Entry) -> None:
        """The call ended by a fault of ours."""
        with self._changed:
            self._circuit.abandoned(probe=entry.probe)
            self._leave()

    def pause(self, seconds: float, on_wait: Callable[[], None]) -> None:
        """Wait out the delay of `failed`; an open circuit is waited for in `enter`, by all alike.

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
        """Let nobody in any more, and send away who waits."""
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
            raise ShutdownError("the worker stops")

    def _leave(self) -> None:
        self._inflight -= 1
        self._changed.notify_all()
