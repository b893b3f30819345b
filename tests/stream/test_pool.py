"""A thread pool whose shutdown has a timeout."""

import threading
import time

from stream.pool import ThreadPool
from tests.rigs.waiting import PATIENCE_S


def test_items_are_processed_in_order_by_a_bounded_number_of_threads() -> None:
    """At most `threads` threads process items, in order."""
    lock, done, most, busy = threading.Lock(), threading.Event(), 0, 0
    seen: list[int] = []

    def work(item: int) -> None:
        nonlocal most, busy
        with lock:
            seen.append(item)
            busy += 1
            most = max(most, busy)
        time.sleep(0.001)
        with lock:
            busy -= 1
            if len(seen) == 50:
                done.set()

    pool = ThreadPool(work, threads=3, name="test")
    for item in range(50):
        pool.submit(item)
    assert done.wait(PATIENCE_S)
    assert pool.close(PATIENCE_S) == 0
    assert seen == list(range(50))
    assert most == 3


def test_a_thread_that_hangs_is_left_behind() -> None:
    """`close` waits for its timeout, drops queued items and returns the number that still run."""
    begun, end, seen = threading.Event(), threading.Event(), []

    def hang(item: int) -> None:
        seen.append(item)
        begun.set()
        end.wait(PATIENCE_S)

    pool = ThreadPool(hang, threads=1, name="test")
    for item in range(3):
        pool.submit(item)
    begun.wait(PATIENCE_S)
    assert pool.close(0.1) == 1, "it has waited for the item, which ends later"
    end.set()
    assert pool.close(PATIENCE_S) == 0
    pool.submit(3)
    assert seen == [0]


def test_the_threads_are_daemons() -> None:
    """A thread of the pool does not block the interpreter's exit."""
    names: list[bool] = []
    pool = ThreadPool[int](lambda _item: names.append(threading.current_thread().daemon), threads=1, name="test")
    pool.submit(0)
    while not names:
        time.sleep(0.001)
    pool.close(PATIENCE_S)
    assert names == [True]
