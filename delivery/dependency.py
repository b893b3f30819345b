"""Calls of a dependency, retried through outages for as long as they last, at a rate that the dependency bears."""

import time
from collections.abc import Callable
from typing import TypeVar

from core.errors import RefusedError, TransientError
from delivery.circuit import CircuitState
from delivery.gate import Gate

T = TypeVar("T")


class DependencyObserver:
    """Is told how calls go; override what you want to know. Called from any thread."""

    def succeeded(self, dependency: str) -> None:
        """A call went well, or was refused for its data: the dependency is there."""

    def failed(self, dependency: str, error: TransientError, state: CircuitState, delay_s: float) -> None:
        """A call failed on an outage; the next try is at most `delay_s` away."""

    def waiting(self, dependency: str) -> None:
        """A call still waits for its turn."""


class Dependency:
    """Something outside this process that batches call: the index, a topic, the customer directory."""

    def __init__(self, name: str, *, gate: Gate, observer: DependencyObserver) -> None:
        self.name = name
        self.gate = gate
        self._observer = observer

    def call(self, fn: Callable[[], T], *, size: int) -> T:
        """Call `fn` until it succeeds, and return its result. `size` is what it carries, in points, letters or tickets.

        Raises:
            RefusedError: the dependency refuses the data.
            ShutdownError: the worker stops.
            FatalError: no retry can mend it.
        """
        while True:
            entry = self.gate.enter(self._waits)
            began = time.perf_counter()
            try:
                found = fn()
            except TransientError as error:
                delay_s = self.gate.failed(entry, error)
                self._observer.failed(self.name, error, self.gate.state, delay_s)
                self.gate.pause(delay_s, self._waits)
            except RefusedError:
                self.gate.answered()
                self._observer.succeeded(self.name)
                raise
            except BaseException:
                self.gate.abandoned(entry)
                raise
            else:
                self.gate.succeeded(entry, latency_s=time.perf_counter() - began, size=size)
                self._observer.succeeded(self.name)
                return found

    def _waits(self) -> None:
        self._observer.waiting(self.name)
