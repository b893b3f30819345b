"""Repeats calls during an outage."""

import threading
from collections.abc import Callable
from random import Random
from typing import Final, TypeVar

from core.errors import FatalError, TransientError, UnavailableError
from delivery.backoff import Backoff
from services.producer.monitor import Dependency, Monitor

T = TypeVar("T")

_BACKOFF_MAX_S: Final = 3.0


class StoppedError(Exception):
    """The service was stopped while a call was being repeated."""


class Retry:
    """Repeats a call until it succeeds or the service ends."""

    def __init__(self, stop: threading.Event, monitor: Monitor, *, cap_s: float = _BACKOFF_MAX_S) -> None:
        self.stop = stop
        self._monitor = monitor
        self._backoff = Backoff(cap_s=cap_s, rng=Random())  # noqa: S311 - jitter
        #: Called before each further attempt.
        self.between: Callable[[], None] = lambda: None

    def __call__(self, dependency: Dependency, call: Callable[[], T]) -> T:
        """Call until it succeeds; note each outcome.

        Raises:
            StoppedError: the service was stopped.
        """
        attempt = 0
        while True:
            try:
                result = call()
            except (TransientError, FatalError, UnavailableError) as error:
                self._monitor.note(dependency, error)
                wait_s = self._backoff.delay_s(attempt, error if isinstance(error, TransientError) else None)
                if self.stop.wait(wait_s):
                    raise StoppedError from None
                attempt += 1
                self._monitor.turned()
                self.between()
            else:
                self._monitor.note(dependency, None)
                return result
