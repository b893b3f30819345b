"""Health means progress."""

import threading

from stream.progress import Progress


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def _progress() -> tuple[Progress, _Clock]:
    clock = _Clock()
    return Progress(max_stall_s=10, clock=clock), clock


def test_polling_with_nothing_to_do_is_healthy() -> None:
    """An idle stream is a healthy one."""
    progress, clock = _progress()
    for clock.now in range(0, 100, 5):
        progress.polled()
    assert progress.stall() is None


def test_a_loop_that_no_longer_polls_is_stuck() -> None:
    """A thread that hangs in an operator stops polling."""
    progress, clock = _progress()
    clock.now = 11
    assert progress.stall() == "no poll for 11 s"


def test_work_that_does_not_move_is_stuck_though_polls_go_on() -> None:
    """A write that never returns shows, even while the consumer keeps its membership alive."""
    progress, clock = _progress()
    progress.submitted()
    clock.now = 11
    progress.polled()
    assert progress.stall() == "work in flight has not moved for 11 s"


def test_an_outage_that_is_retried_is_not_stuck() -> None:
    """Restarting the task would not bring the index back."""
    progress, clock = _progress()
    progress.submitted()
    for clock.now in range(0, 100, 5):
        progress.polled()
        progress.called("index", "index out")
    assert progress.stall() is None
    assert progress.outage == "index: index out"


def test_an_outage_of_one_target_is_not_ended_by_another() -> None:
    """Dead letters that are written say nothing about the index."""
    progress, _ = _progress()
    progress.called("index", "index out")
    progress.called("dead_letters", "broker out")
    assert progress.outage == "dead_letters: broker out; index: index out"
    progress.called("dead_letters", None)
    assert progress.outage == "index: index out"
    progress.called("index", None)
    assert progress.outage is None


def _one_hangs(seconds: int) -> str | None:
    """What is wrong after another thread's batch has hung for so long while this thread's go on."""
    progress, clock = _progress()
    begun, end = threading.Event(), threading.Event()

    def hang() -> None:
        progress.submitted()
        progress.began()
        begun.set()
        end.wait()

    thread = threading.Thread(target=hang)
    thread.start()
    begun.wait()
    for clock.now in range(0, seconds + 1, 5):
        progress.polled()
        progress.submitted()
        progress.began()
        progress.called("index", None)
        progress.finished()
    end.set()
    thread.join()
    return progress.stall()


def test_a_batch_that_hangs_alone_is_stuck_after_a_while() -> None:
    """The others move, but the commit waits for it: ten times the patience, for a slow machine's sake."""
    assert _one_hangs(100) is None
    assert _one_hangs(105) == "a batch has not moved for 105 s, though others do"


def test_work_that_starts_after_a_pause_is_given_its_time() -> None:
    """The clock of work in flight begins when there is some."""
    progress, clock = _progress()
    clock.now = 100
    progress.polled()
    progress.submitted()
    assert progress.stall() is None
