"""A thread pool whose shutdown has a timeout."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from core.threads import lower_priority

T = TypeVar("T")


class ThreadPool(Generic[T]):
    """Up to `threads` daemon threads of low priority, started on demand.

    Unlike those of `ThreadPoolExecutor`, they are not joined when the interpreter exits, so a thread that hangs in a
    model or a call does not keep the process alive.
    """

    def __init__(self, work: Callable[[T], None], *, threads: int, name: str) -> None:
        """`work` is called with each item on one of the threads, and must not raise."""
        self._work = work
        self._max_threads = threads
        self._name = name
        self._queue: deque[T] = deque()
        self._threads = 0
        self._idle = 0
        self._busy = 0
        self._closed = False
        self._changed = threading.Condition()

    def submit(self, item: T) -> None:
        """Queue `item` for the next free thread. Ignored after `close`."""
        with self._changed:
            if self._closed:
                return
            self._queue.append(item)
            if self._idle < len(self._queue) and self._threads < self._max_threads:
                self._threads += 1
                threading.Thread(target=self._run, name=f"{self._name}-{self._threads}", daemon=True).start()
            self._changed.notify_all()

    def close(self, timeout_s: float) -> int:
        """Drop queued items, and wait for the running ones. Returns how many are still running after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            self._closed = True
            self._queue.clear()
            self._changed.notify_all()
            while self._busy and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)
            return self._busy

    def _run(self) -> None:
        lower_priority()
        while (item := self._next()) is not None:
            try:
                self._work(item)
            finally:
                with self._changed:
                    self._busy -= 1
                    self._changed.notify_all()

    def _next(self) -> T | None:
        with self._changed:
            self._idle += 1
            while not self._queue and not self._closed:
                self._changed.wait()
            self._idle -= 1
            if self._closed:
                return None
            self._busy += 1
            return self._queue.popleft()
