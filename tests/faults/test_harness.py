"""The harness itself: what would let an attack pass that never was made, or that nobody looked at."""

import threading
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import pytest

from core.errors import TicketstreamError
from core.records import SearchHit, SearchQuery
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
    """What `call` raises on another thread."""
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


# --- a seed replays


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: rng.random(),
        lambda rng: rng.choice("ab"),
        lambda rng: rng.shuffle([1, 2]),
        lambda rng: rng.uniform(0, 1),
    ],
)
def test_an_attacks_choices_are_drawn_on_its_own_thread_alone(draw: Callable[[Random], Any]) -> None:
    """Drawn on another they would depend on how the machine schedules the two."""
    rng = Choices("1/attack")
    draw(rng)
    assert _elsewhere(lambda: draw(rng)) is not None
    forked = fork(rng)
    assert _elsewhere(lambda: draw(forked)) is None


def test_records_out_of_order_may_be_taken_by_another_thread() -> None:
    """What they are shuffled by is drawn when they are made, and the same seed shuffles them alike."""
    rng = Choices("1/attack")
    stream = mixed(rng)
    state = rng.getstate()
    assert _elsewhere(lambda: [next(stream) for _ in range(100)]) is None
    assert rng.getstate() == state
    first, again = ([r.key for r in shuffled(events(90, seed=1), Choices("2/attack"))] for _ in range(2))
    assert first == again
    assert first != [r.key for r in events(90, seed=1)]


def test_a_worker_is_not_told_to_end_before_it_has_started(
    tansu: str, arena_on: Callable[..., Arena], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a mutant leaves nothing to do, the last worker would end by the signal, and break another promise by it."""
    with arena_on(tansu, server=True, watched=False) as arena:
        monkeypatch.setattr(arena.world, "log", list)
        arena.start()
        arena.finish()


# --- somebody looks on


class _Eyes:
    """Raises what it is given, or finds nothing."""

    def __init__(self, error: Exception | None) -> None:
        self._error = error
        self.asked = threading.Event()

    def search(self, text: str, query: SearchQuery) -> list[SearchHit]:
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
    [(KeyError("version"), "looking on ended with KeyError"), (TicketstreamError("out"), "no search was answered")],
)
def test_an_attack_that_nobody_could_watch_is_not_withstood(error: Exception, words: str) -> None:
    """The watcher broke down, or never got an answer: neither is a sign that all was well."""
    eyes = _Eyes(error)
    sampler = Sampler(eyes=eyes, ledger=Ledger(), committed=dict, rng=Random(1))
    sampler.start()
    assert eyes.asked.wait(PATIENCE_S)
    with pytest.raises(BrokenError, match=words):
        sampler.judge()


def test_answers_without_a_fault_are_enough() -> None:
    """One is, as the attacks differ in how long they last."""
    sampler = Sampler(eyes=_Eyes(None), ledger=Ledger(), committed=dict, rng=Random(1))
    sampler.start()
    while not sampler.answers:
        assert sampler.fault is None
    sampler.judge()


# --- attacks take place


@pytest.mark.parametrize("soak", ["", "1"])
def test_too_few_kills_are_a_fault(monkeypatch: pytest.MonkeyPatch, soak: str) -> None:
    """With the time spent before the first, one is made all the same; more are wanted, but where minutes are named."""
    monkeypatch.setenv("TICKETS_TEST_SOAK", soak)
    monkeypatch.setenv("TICKETS_TEST_MINUTES", "0")
    run = Run()
    assert not run.over, "the time doesn't run before the first attack"
    run.begin()
    assert run.half_over()
    assert run.over
    section, kills = Section("killed", ""), Kills(2, 1.0)
    assert kills.goes_on(run)
    kills.recoveries_s.append(1.0)
    kills.starts_s.append(1.0)
    assert not kills.goes_on(run)
    kills.judged(section, bound_s=6)
    if soak:
        kills.judge(run)
        assert section.findings
    else:
        with pytest.raises(BrokenError, match="1 kills in the time there was, 2 were to be made"):
            kills.judge(run)


def test_only_a_soak_of_named_minutes_may_end_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every other run must reach its counts."""
    for soak, minutes, early in (("", "", False), ("", "5", False), ("1", "", False), ("1", "5", True)):
        monkeypatch.setenv("TICKETS_TEST_SOAK", soak)
        monkeypatch.setenv("TICKETS_TEST_MINUTES", minutes)
        assert Run().may_end_early is early


class _Calm:
    """An arena in which nothing comes or goes."""

    def __init__(self) -> None:
        self.section = Section("storm", "")
        self.workers: list[Any] = []
        self.feeder = self

    def start(self, *_arguments: Any, **_more: Any) -> None:
        """Of a worker, and of the feeder."""

    def await_assigned(self, workers: int) -> None:
        """They are there at once."""

    def finish(self) -> None:
        """All is well."""

    def duplicates(self) -> tuple[int, int]:
        return 0, 1_000


def test_a_storm_without_changes_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """When nobody joins, leaves or is killed in its time, and a while beyond it, nothing is withstood."""
    monkeypatch.setattr("tests.faults.storm.PATIENCE_S", 0)
    with pytest.raises(BrokenError, match="no storm"):
        storm(_Calm(), Random(1), seconds=0.1, kills=0.2, rate=1, ended=lambda: True)  # type: ignore[arg-type]
