"""Which threads go first."""

import contextlib
import os
import threading
from typing import Final

#: Of 19: a thread at 0 gets nine times the share, and goes first when it wakes.
_NICE: Final = 10


def step_back() -> None:
    """Let this thread's batches come after what somebody waits for: a question, a poll, a probe.

    Linux gives each thread a niceness of its own; elsewhere, and where it is not allowed, nothing happens.
    """
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
