"""The choice of the rows that the page shows."""

from bench.machine import this_machine
from bench.page import last_run
from bench.suite import Row


def _run(*contenders: str, rounds: int) -> list[Row]:
    machine = this_machine()
    return [Row("scale", name, number, "synthetic", machine) for number in range(rounds) for name in contenders]


def test_a_run_whose_contenders_were_renamed_is_the_last_one() -> None:
    """A run with other contenders than the previous one is shown alone."""
    first, second = _run("a backlog", "10 %", rounds=2), _run("a saturating load", "10 %", rounds=2)
    assert last_run([*first, *second]) == second


def test_runs_of_one_round_are_told_apart() -> None:
    """A contender that repeats in round 0 begins a new run."""
    first, second = _run("one", "two", rounds=1), _run("one", "two", rounds=1)
    assert last_run([*first, *second])[0] is second[0]


def test_one_run_is_shown_whole() -> None:
    """A single run is shown whole."""
    only = _run("one", "two", rounds=3)
    assert last_run(only) == only
