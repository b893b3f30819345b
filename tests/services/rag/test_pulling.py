"""The pool of threads spends no time on answers that nobody waits for."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import ExitStack

from services.rag.pulling import open_pool


def test_an_answer_that_waited_for_a_thread_in_vain_is_not_begun() -> None:
    """A caller that leaves while its question waits for a thread costs no search."""
    begun: list[str] = []

    def events(name: str) -> Iterator[str]:
        begun.append(name)
        yield name

    async def ask() -> list[str | None]:
        with ExitStack() as stack:
            pool = open_pool(stack, threads=1, timeout_s=60.0)
            free, left = threading.Event(), threading.Event()
            busy = asyncio.get_running_loop().create_task(pool.run(free.wait, threading.Event()))
            await asyncio.sleep(0)
            abandoned = pool.pull(lambda: events("left"), left)
            wanted = pool.pull(lambda: events("stayed"), threading.Event())
            left.set()
            free.set()
            await busy
            return [await abandoned.next(), await wanted.next(), await wanted.next()]

    assert asyncio.run(ask()) == [None, "stayed", None]
    assert begun == ["stayed"]
