"""Threads that can be left behind."""

import threading
import time

from stream.pool import ThreadPool

_PATIENCE_S = 5.0


def test_all_items_are_taken_up_by_no_more_threads_than_there_are() -> None:
    """In order, as threads become free."""
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

    crew = ThreadPool(work, threads=3, name="test")
    for item in range(50):
        crew.submit(item)
    assert done.wait(_PATIENCE_S)
    assert crew.close(_PATIENCE_S) == 0
    assert seen == list(range(50))
    assert most == 3


def test_a_thread_that_hangs_is_left_behind() -> None:
    """Closing waits no longer than it is told, drops what nobody has taken up, and says how many are at work."""
    begun, end, seen = threading.Event(), threading.Event(), []

    def hang(item: int) -> None:
        seen.append(item)
        begun.set()
        end.wait(_PATIENCE_S)

    crew = ThreadPool(hang, threads=1, name="test")
    for item in range(3):
        crew.submit(item)
    begun.wait(_PATIENCE_S)
    began = time.monotonic()
    assert crew.close(0.1) == 1
    assert time.monotonic() - began < 1
    end.set()
    assert crew.close(_PATIENCE_S) == 0
    crew.submit(3)
    assert seen == [0]


def test_a_thread_does_not_hold_the_process() -> None:
    """The interpreter joins the others at its end."""
    names: list[bool] = []
    crew = ThreadPool[int](lambda _item: names.append(threading.current_thread().daemon), threads=1, name="test")
    crew.submit(0)
    while not names:
        time.sleep(0.001)
    crew.close(_PATIENCE_S)
    assert names == [True]
