"""Threads that take up work in turn, and whose end can be waited for no longer than one wants."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from core.threads import step_back

T = TypeVar("T")


class ThreadPool(Generic[T]):
    """So many threads, begun as they are needed.

    They step back behind threads that somebody waits for. They are daemons: the threads of an executor are joined when
    the interpreter ends, and one that hangs in a model or a call would keep the process from ending.
    """

    def __init__(self, work: Callable[[T], None], *, threads: int, name: str) -> None:
        """`work` is called with each item on one of the threads, and must not raise."""
        self._work = work
        self._most = threads
        self._name = name
        self._waiting: deque[T] = deque()
        self._threads = 0
        self._idle = 0
        self._busy = 0
        self._closed = False
        self._changed = threading.Condition()

    def submit(self, item: T) -> None:
        """Take `item` up as soon as a thread is free; never after `close`."""
        with self._changed:
            if self._closed:
                return
            self._waiting.append(item)
            if self._idle < len(self._waiting) and self._threads < self._most:
                self._threads += 1
                threading.Thread(target=self._run, name=f"{self._name}-{self._threads}", daemon=True).start()
            self._changed.notify_all()

    def close(self, timeout_s: float) -> int:
        """Drop what nobody has taken up, and wait for the rest; how many are still at work after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
            while self._busy and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)
            return self._busy

    def _run(self) -> None:
        step_back()
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
            while not self._waiting and not self._closed:
                self._changed.wait()
            self._idle -= 1
            if self._closed:
                return None
            self._busy += 1
            return self._waiting.popleft()
