"""Credits: limits on work in flight."""

import threading

from delivery.credits import Credits


def test_either_limit_stops_reading() -> None:
    """Either limit, of tickets or bytes, stops reading until credit is given back."""
    credits_ = Credits(tickets=10, bytes_=100)
    credits_.take(4, 40)
    assert credits_.room() == 6
    credits_.take(1, 60)
    assert credits_.room() == 0
    credits_.give_back(1, 60)
    assert credits_.room() == 6
    credits_.take(6, 0)
    assert credits_.room() == 0


def test_a_batch_larger_than_the_limit_is_admitted_and_blocks_the_next() -> None:
    """A single huge record is admitted, and nothing else until it is done."""
    credits_ = Credits(tickets=10, bytes_=100)
    credits_.take(1, 5_000)
    assert credits_.room() == 0
    credits_.give_back(1, 5_000)
    assert (credits_.tickets, credits_.bytes, credits_.room()) == (0, 0, 10)


def test_the_number_of_batches_is_limited() -> None:
    """However small they are, no more batches than the limit are in flight."""
    credits_ = Credits(tickets=10, bytes_=100, batches=2)
    credits_.take(1, 1)
    assert credits_.room() == 9
    credits_.take(1, 1)
    assert credits_.room() == 0
    credits_.give_back(1, 1)
    assert credits_.room() == 9


def test_a_wait_for_room_ends_on_release_or_timeout() -> None:
    """A wait ends as soon as credit is given back, and otherwise at its timeout."""
    credits_ = Credits(tickets=1, bytes_=100)
    credits_.take(1, 1)
    assert credits_.wait_for_room(0.01) == 0
    threading.Timer(0.05, credits_.give_back, (1, 1)).start()
    assert credits_.wait_for_room(5) == 1


def test_many_threads_leave_it_balanced() -> None:
    """Credits taken and given back by several threads add up to zero."""
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
