"""Runs the blocking work of requests on a bounded thread pool, and passes its events to the event loop."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Generic, TypeVar

from services.http.problems import Problem

T = TypeVar("T")


class Pool:
    """Threads for blocking work. A caller waits for its work until the deadline and no longer."""

    def __init__(self, executor: ThreadPoolExecutor, *, timeout_s: float) -> None:
        self._executor = executor
        self._timeout_s = timeout_s

    async def run(self, work: Callable[[], T], stop: threading.Event) -> T:
        """The result of `work`.

        Raises:
            Problem: it took too long (504); `stop` is set.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.get_running_loop().run_in_executor(self._executor, work)
        except TimeoutError:
            stop.set()
            raise self._too_long() from None

    def pull(self, events: Callable[[], Iterator[T]], stop: threading.Event) -> "Pulled[T]":
        """The items of `events`. A thread of the pool starts to read them now."""
        pulled = Pulled[T](asyncio.get_running_loop(), stop, self._timeout_s, self._too_long)
        self._executor.submit(pulled.read, events)
        return pulled

    def _too_long(self) -> Problem:
        return Problem("timeout", f"There was no complete answer within {self._timeout_s:g} seconds; try again.")


class Pulled(Generic[T]):
    """Items that a thread reads, as an asynchronous iterator."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        stop: threading.Event,
        timeout_s: float,
        too_long: Callable[[], Problem],
    ) -> None:
        self._loop = loop
        self._stop = stop
        self._deadline = loop.time() + timeout_s
        self._too_long = too_long
        self._items: asyncio.Queue[T | BaseException | None] = asyncio.Queue()

    def read(self, events: Callable[[], Iterator[T]]) -> None:
        """Read all items, on a thread of the pool; none if the caller has left."""
        end: BaseException | None = None
        if self._stop.is_set():
            self._put(end)
            return
        try:
            for item in events():
                self._put(item)
                if self._stop.is_set():
                    break
        except Exception as error:  # noqa: BLE001 - it is raised on the event loop
            end = error
        self._put(end)

    def _put(self, item: T | BaseException | None) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._items.put_nowait, item)

    async def next(self) -> T | None:
        """The next item, or None after the last.

        Raises:
            Problem: it took too long (504).
            Exception: the one that ended the iterator.
        """
        try:
            async with asyncio.timeout_at(self._deadline):
                item = await self._items.get()
        except TimeoutError:
            self._stop.set()
            raise self._too_long() from None
        if isinstance(item, BaseException):
            raise item
        return item

    def stop(self) -> None:
        """Ask the thread to end after its current item."""
        self._stop.set()

    async def rest(self) -> AsyncIterator[T]:
        """The items that haven't been taken yet."""
        while (item := await self.next()) is not None:
            yield item


def open_pool(stack: ExitStack, *, threads: int, timeout_s: float) -> Pool:
    """A pool. `stack` closes it without waiting for work that still runs."""
    executor = ThreadPoolExecutor(threads, thread_name_prefix="rag")
    stack.callback(executor.shutdown, wait=False, cancel_futures=True)
    return Pool(executor, timeout_s=timeout_s)
