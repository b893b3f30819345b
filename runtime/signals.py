"""Handlers of SIGTERM and SIGINT for a process that shuts down in order."""

import atexit
import signal
import threading
from typing import Final

_ENDING: Final = (signal.SIGTERM, signal.SIGINT)


def stop_on_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set from now on. While the interpreter shuts down they are ignored."""
    stop = threading.Event()
    for number in _ENDING:
        signal.signal(number, lambda *_: stop.set())
    atexit.register(ignore_signals)
    return stop


def ignore_signals() -> None:
    """Let no later SIGTERM or SIGINT change the exit code.

    The interpreter's shutdown resets every signal handler to the default, which would end the process with -15. An
    ignored signal stays ignored.
    """
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)
