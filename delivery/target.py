"""Insisting on a call: through outages, for as long as they last, and no further than the target can bear."""

import time
from collections.abc import Callable
from typing import TypeVar

from core.errors import RefusedError, TransientError
from delivery.circuit import CircuitState
from delivery.gate import Gate

T = TypeVar("T")


class TargetObserver:
    """What a target tells about itself; override what you want to know. Called from any thread."""

    def succeeded(self, target: str) -> None:
        """A call went well, or was refused for its data: the target is there."""

    def failed(self, target: str, error: TransientError, state: CircuitState, delay_s: float) -> None:
        """A call failed on an outage; the next try is at most `delay_s` away."""

    def waiting(self, target: str) -> None:
        """A call still waits for its turn."""


class Target:
    """One place that is called: the index or a topic to write to, a directory to ask."""

    def __init__(self, name: str, *, gate: Gate, observer: TargetObserver) -> None:
        self.name = name
        self.gate = gate
        self._observer = observer

    def insist(self, call: Callable[[], T], *, size: int) -> T:
        """What `call` returns, which is made until it succeeds. `size` is what it takes, in points, letters or tickets.

        Raises:
            RefusedError: the target refuses the data.
            GivenUpError: the worker stops.
            FatalError: no retry can mend it.
        """
        while True:
            entry = self.gate.enter(self._waits)
            began = time.perf_counter()
            try:
                found = call()
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
