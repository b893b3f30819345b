"""Retries calls of a dependency until they succeed, however long an outage lasts."""

import time
from collections.abc import Callable
from typing import TypeVar

from core.errors import RefusedError, TransientError
from delivery.circuit import CircuitState
from delivery.gate import CallGate

T = TypeVar("T")


class DependencyObserver:
    """Callbacks about calls, on any thread; override the ones you need."""

    def succeeded(self, dependency: str) -> None:
        """A call succeeded, or its data was refused: the dependency is up."""

    def failed(self, dependency: str, error: TransientError, state: CircuitState, delay_s: float) -> None:
        """A call failed on an outage; the next attempt is at most `delay_s` away."""

    def waiting(self, dependency: str) -> None:
        """A call still waits for its permit."""


class Dependency:
    """An external system that is called while a batch is processed: the index, a topic, the customer directory."""

    def __init__(self, name: str, *, gate: CallGate, observer: DependencyObserver) -> None:
        self.name = name
        self.gate = gate
        self._observer = observer

    def call(self, fn: Callable[[], T], *, size: int) -> T:
        """Call `fn` until it succeeds, and return its result.

        Args:
            fn: makes the call.
            size: how many points, dead letters or tickets it carries.

        Raises:
            RefusedError: the dependency refuses the data.
            ShutdownError: the gate was closed.
            FatalError: the error is not retryable.
        """
        while True:
            permit = self.gate.acquire(self._waits)
            began = time.perf_counter()
            try:
                found = fn()
            except TransientError as error:
                delay_s = self.gate.failed(permit, error)
                self._observer.failed(self.name, error, self.gate.state, delay_s)
                self.gate.back_off(delay_s, self._waits)
            except RefusedError:
                self.gate.refused()
                self._observer.succeeded(self.name)
                raise
            except BaseException:
                self.gate.abandoned(permit)
                raise
            else:
                self.gate.succeeded(permit, latency_s=time.perf_counter() - began, size=size)
                self._observer.succeeded(self.name)
                return found

    def _waits(self) -> None:
        self._observer.waiting(self.name)
