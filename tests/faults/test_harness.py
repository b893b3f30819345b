"""The harness: an attack that was not made, or not observed, fails."""

import threading
from collections.abc import Callable, Sequence
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from core.errors import TicketstreamError
from core.index import SearchQuery
from search.result import RankedHit
from synthetic.tickets import events
from tests.faults.arena import Arena
from tests.faults.choices import Choices, fork, mixed, shuffled
from tests.faults.kills import Kills
from tests.faults.ledger import Ledger, TicketKey
from tests.faults.oracle import BrokenError
from tests.faults.report import Section
from tests.faults.sampler import Heads, Sampler
from tests.faults.sizes import Run
from tests.faults.storm import storm
from tests.rigs.waiting import PATIENCE_S


def _elsewhere(call: Callable[[], Any]) -> BaseException | None:
    """The error that `call` raises on another thread."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except AssertionError as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return raised[0] if raised else None


# --- random choices


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: rng.random(),
        lambda rng: rng.choice("ab"),
        lambda rng: rng.shuffle([1, 2]),
        lambda rng: rng.uniform(0, 1),
    ],
)
def test_random_choices_are_confined_to_a_thread(draw: Callable[[Random], Any]) -> None:
    """A draw on another thread raises; a forked generator may be used there."""
    rng = Choices("1/attack")
    draw(rng)
    assert _elsewhere(lambda: draw(rng)) is not None
    forked = fork(rng)
    assert _elsewhere(lambda: draw(forked)) is None


def test_another_thread_may_consume_shuffled_records() -> None:
    """A shuffled stream draws from the generator only when it is made, and equal seeds give equal streams."""
    rng = Choices("1/attack")
    stream = mixed(rng)
    state = rng.getstate()
    assert _elsewhere(lambda: [next(stream) for _ in range(100)]) is None
    assert rng.getstate() == state
    first, again = ([r.key for r in shuffled(events(90, seed=1), Choices("2/attack"))] for _ in range(2))
    assert first == again
    assert first != [r.key for r in events(90, seed=1)]


def test_a_worker_is_stopped_only_after_its_start(
    tansu: str, arena_on: Callable[..., Arena], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`finish` waits for the start of every worker, because before it SIGTERM would kill the worker."""
    with arena_on(tansu, server=True, watched=False) as arena:
        monkeypatch.setattr(arena.world, "log", list)
        arena.start()
        arena.finish()


# --- observation


class _View:
    """Raises the given error, or finds nothing."""

    def __init__(self, error: Exception | None) -> None:
        self._error = error
        self.asked = threading.Event()

    def search(self, text: str, query: SearchQuery) -> list[RankedHit]:
        del text, query
        self.asked.set()
        if self._error is not None:
            raise self._error
        return []

    def heads(self, tickets: Sequence[TicketKey]) -> Heads:
        del tickets
        return {}


@pytest.mark.parametrize(
    ("error", "words"),
    [(KeyError("version"), "the sampler failed with KeyError"), (TicketstreamError("out"), "no search was answered")],
)
def test_an_unobserved_attack_fails(error: Exception, words: str) -> None:
    """An attack fails if its sampler failed or got no answer."""
    view = _View(error)
    sampler = Sampler(view=view, ledger=Ledger(), committed=dict, rng=Random(1))
    sampler.start()
    assert view.asked.wait(PATIENCE_S)
    with pytest.raises(BrokenError, match=words):
        sampler.judge()


def test_one_sound_answer_is_enough() -> None:
    """An attack with one answer and no fault passes."""
    sampler = Sampler(view=_View(None), ledger=Ledger(), committed=dict, rng=Random(1))
    sampler.start()
    while not sampler.answers:
        assert sampler.fault is None
    sampler.judge()


# --- counts


@pytest.mark.parametrize("soak", ["", "1"])
def test_too_few_kills_fail(monkeypatch: pytest.MonkeyPatch, soak: str) -> None:
    """Too few kills fail an attack, except in a soak of given minutes; one kill is always made."""
    monkeypatch.setenv("TICKETS_TEST_SOAK", soak)
    monkeypatch.setenv("TICKETS_TEST_MINUTES", "0")
    run = Run()
    assert not run.over, "the clock starts with the first attack"
    run.begin()
    assert run.half_over()
    assert run.over
    arena, kills = _Calm(), Kills(2, 1.0)
    assert kills.goes_on(run)
    kills.recoveries_s.append(1.0)
    kills.starts_s.append(1.0)
    assert not kills.goes_on(run)
    kills.judged(arena)
    if soak:
        kills.judge(run)
        assert arena.section.findings
    else:
        with pytest.raises(BrokenError, match="1 of 2 kills were made"):
            kills.judge(run)


def test_only_a_soak_of_given_minutes_may_end_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every other run must reach its counts."""
    for soak, minutes, early in (("", "", False), ("", "5", False), ("1", "", False), ("1", "5", True)):
        monkeypatch.setenv("TICKETS_TEST_SOAK", soak)
        monkeypatch.setenv("TICKETS_TEST_MINUTES", minutes)
        assert Run().may_end_early is early


class _Calm:
    """An arena without workers."""

    def __init__(self) -> None:
        self.section = Section("storm", "")
        self.session_timeout_s = 1.0
        self.workers: list[Any] = []
        self.feeder = self

    def start(self, *_arguments: Any, **_more: Any) -> None:
        """Start a worker, or the feeder."""

    def await_assigned(self, workers: int) -> None:
        """Return at once."""

    def finish(self) -> None:
        """Find no fault."""

    def duplicates(self) -> tuple[int, int]:
        return 0, 1_000


def test_a_storm_without_changes_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A storm fails if no member joins, leaves and is killed in its time and for a while after it."""
    monkeypatch.setattr("tests.faults.storm.PATIENCE_S", 0)
    with pytest.raises(BrokenError, match="no storm"):
        storm(_Calm(), Random(1), seconds=0.1, kills=0.2, rate=1, ended=lambda: True)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("took_s", "wall_s", "restart_s", "excused"),
    [
        (7.0, 14.0, 3.5, 1),
        (7.0, 14.0, 2.5, 0),  # slower than two restarts beside it
        (7.0, 7.5, 3.5, 0),  # the machine was not busy
        (5.0, 14.0, 3.5, 0),  # not late
    ],
)
def test_a_late_recovery_is_excused_on_a_busy_machine_only(
    monkeypatch: pytest.MonkeyPatch, took_s: float, wall_s: float, restart_s: float, excused: int
) -> None:
    """A late recovery counts, unless the machine is busy and a restart beside it takes half as long."""
    kills, starts, clock = Kills(1, 1.0), iter([took_s, restart_s]), iter([0.0, wall_s])
    monkeypatch.setattr("tests.faults.kills.time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(kills, "_start", lambda _arena: next(starts))
    arena: Any = SimpleNamespace(
        session_timeout_s=1.0, workers=[None], terminate=lambda _worker: None, section=Section("recovery", "")
    )
    kills.recover(arena)
    assert (kills.excused, len(kills.recoveries_s)) == (excused, 1 - excused)
