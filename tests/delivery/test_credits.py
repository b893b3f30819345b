"""The bound on what is in flight."""

import threading

from delivery.credits import Credits


def test_either_limit_closes_the_door() -> None:
    """By tickets or by bytes; what comes back opens it again."""
    credits_ = Credits(tickets=10, bytes_=100)
    credits_.take(4, 40)
    assert credits_.room() == 6
    credits_.take(1, 60)
    assert credits_.room() == 0
    credits_.give_back(1, 60)
    assert credits_.room() == 6
    credits_.take(6, 0)
    assert credits_.room() == 0


def test_one_batch_larger_than_the_limit_is_let_in_and_blocks_the_next() -> None:
    """A single huge record must not wedge the stream."""
    credits_ = Credits(tickets=10, bytes_=100)
    credits_.take(1, 5_000)
    assert credits_.room() == 0
    credits_.give_back(1, 5_000)
    assert (credits_.tickets, credits_.bytes, credits_.room()) == (0, 0, 10)


def test_no_more_batches_than_there_are_writers_for() -> None:
    """However small they are: what comes while all are busy waits, and makes one batch."""
    credits_ = Credits(tickets=10, bytes_=100, batches=2)
    credits_.take(1, 1)
    assert credits_.room() == 9
    credits_.take(1, 1)
    assert credits_.room() == 0
    credits_.give_back(1, 1)
    assert credits_.room() == 9


def test_a_wait_for_room_ends_when_there_is_some_or_time_is_up() -> None:
    """The poll loop must keep turning."""
    credits_ = Credits(tickets=1, bytes_=100)
    credits_.take(1, 1)
    assert credits_.wait_for_room(0.01) == 0
    threading.Timer(0.05, credits_.give_back, (1, 1)).start()
    assert credits_.wait_for_room(5) == 1


def test_many_threads_leave_it_balanced() -> None:
    """Takes and returns from several threads add up."""
    credits_ = Credits(tickets=1000, bytes_=10**6)

    def work() -> None:
        for _ in range(500):
            credits_.take(2, 20)
            credits_.give_back(2, 20)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (credits_.tickets, credits_.bytes) == (0, 0)
