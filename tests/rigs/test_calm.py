"""The calm clock: it keeps time on a calm machine and slows down with a busy one."""

import threading
import time

import pytest

from tests.rigs.calm import CalmClock


def _after(*rounds: tuple[float, float, float]) -> float:
    """The clock's reading after rounds, each given as seconds of the round, of its work and of the processor."""
    clock = CalmClock()
    for round_s, worked_s, needed_s in rounds:
        clock.advance(round_s=round_s, worked_s=worked_s, needed_s=needed_s)
    return clock._now_s


def test_undisturbed_rounds_count_in_full() -> None:
    """Ten rounds of 0.32 s are 3.2 s."""
    assert _after(*[(0.32, 0.02, 0.02)] * 10) == pytest.approx(3.2)


def test_work_that_takes_twice_as_long_halves_the_round() -> None:
    """The thread shared its processor with another one."""
    assert _after((0.34, 0.04, 0.02)) == pytest.approx(0.17)


def test_a_halt_is_not_counted() -> None:
    """A round that was held up for five seconds counts as one of its usual length."""
    assert _after((5.32, 0.02, 0.02)) == pytest.approx(0.32)


def test_the_fastest_piece_is_the_measure() -> None:
    """A processor that has become slower by half needs more processor time itself, and the clock follows."""
    assert _after((0.32, 0.02, 0.02), (0.33, 0.03, 0.03)) == pytest.approx(0.32 + 0.22)


def test_it_runs_from_its_first_call_and_never_ahead_of_time() -> None:
    """The clock advances by itself, on a busy machine by less than the time that passes."""
    clock = CalmClock()
    before = threading.active_count()
    began = time.monotonic()
    assert clock() == 0.0
    assert threading.active_count() == before + 1
    while (now := clock()) < 0.6:
        time.sleep(0.05)
    assert now <= time.monotonic() - began
