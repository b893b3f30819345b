"""Liveness by progress."""

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
    """An idle pipeline that polls is healthy."""
    progress, clock = _progress()
    for clock.now in range(0, 100, 5):
        progress.polled()
    assert progress.stall() is None


def test_a_loop_that_no_longer_polls_is_stuck() -> None:
    """A pipeline whose polling thread hangs in an operator is stuck."""
    progress, clock = _progress()
    clock.now = 11
    assert progress.stall() == "no poll for 11 s"


def test_work_without_progress_is_stuck_while_polls_continue() -> None:
    """A write that never returns makes the pipeline stuck, even while its polls keep it in the group."""
    progress, clock = _progress()
    progress.submitted()
    clock.now = 11
    progress.polled()
    assert progress.stall() == "work in flight has made no progress for 11 s"


def test_an_outage_that_is_retried_is_not_stuck() -> None:
    """Failed attempts in an outage count as activity."""
    progress, clock = _progress()
    progress.submitted()
    for clock.now in range(0, 100, 5):
        progress.polled()
        progress.called("index", "index out")
    assert progress.stall() is None
    assert progress.outage == "index: index out"


def test_an_outage_of_one_dependency_is_not_ended_by_another() -> None:
    """A successful call of one dependency leaves the outage of another in place."""
    progress, _ = _progress()
    progress.called("index", "index out")
    progress.called("dead_letters", "broker out")
    assert progress.outage == "dead_letters: broker out; index: index out"
    progress.called("dead_letters", None)
    assert progress.outage == "index: index out"
    progress.called("index", None)
    assert progress.outage is None


def _one_hangs(seconds: int) -> str | None:
    """The stall after another thread's batch has hung for `seconds` while this thread's batches finish."""
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
    """One batch without progress is a stall after ten times the limit, even if the others finish."""
    assert _one_hangs(100) is None
    assert _one_hangs(105) == "one batch has made no progress for 105 s, while others have"


def test_an_idle_time_does_not_count_as_a_stall() -> None:
    """The time without progress counts from the first batch in flight."""
    progress, clock = _progress()
    clock.now = 100
    progress.polled()
    progress.submitted()
    assert progress.stall() is None


def test_a_part_of_a_batch_is_activity() -> None:
    """A batch whose step does a part now and then isn't stuck; a thread without a batch reports nothing."""
    progress, clock = _progress()
    progress.advanced()
    progress.submitted()
    progress.began()
    for clock.now in range(0, 500, 9):
        progress.polled()
        progress.advanced()
        assert progress.stall() is None
    progress.finished()
    progress.advanced()
    clock.now = 1_000
    progress.polled()
    assert progress.stall() is None
