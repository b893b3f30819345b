"""Priorities of threads."""

import contextlib
import os
import threading
from typing import Final

#: Niceness of background threads. A thread at 0 gets nine times as much CPU time, and runs first when it wakes.
_NICE: Final = 10


def lower_priority() -> None:
    """Lower this thread's priority, so that queries, polls and health probes run before its batches.

    Only Linux has a niceness per thread; elsewhere, or without permission, nothing happens.
    """
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
