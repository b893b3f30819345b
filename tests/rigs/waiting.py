"""Waiting for an event, with a limit that only a hang exceeds."""

import time
from collections.abc import Callable
from typing import Final

#: A test that waits this long has hung, even on a busy machine.
PATIENCE_S: Final = 120.0


def wait_until(
    done: Callable[[], bool], or_say: Callable[[], str] = lambda: "it never happened", *, every_s: float = 0.05
) -> None:
    """Ask `done` every `every_s` seconds until it is true.

    Raises:
        AssertionError: it isn't true after `PATIENCE_S`; `or_say` returns the message.
    """
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline, or_say()
        time.sleep(every_s)
