"""Workers are killed at random moments and at named failpoints."""

import time
from collections.abc import Callable
from random import Random
from typing import Any, Final, get_args

from core.failpoints import StreamPoint
from tests.faults.arena import Arena, MakeArena
from tests.faults.choices import mixed
from tests.faults.oracle import require
from tests.faults.report import Section, percentile
from tests.faults.sizes import Run
from tests.rigs.calm import calm_clock
from tests.rigs.qdrant_facade import Fault

Attack = Callable[[MakeArena, Random, Run], None]

#: Records a second. A restarted worker finds a backlog, and the fold of all records stays cheap.
RATE: Final = 80
#: Kills until a world is judged and replaced, because its log and its ledger are kept in memory.
_KILLS_PER_WORLD: Final = 25
_KINDS_OF_KILLS: Final = 3  # besides those at failpoints
#: Limit of a recovery after the session timeout, in calm seconds.
_RECOVERY_S: Final = 5.0
#: A machine with less than this share of its speed is busy. A recovery on it may take longer, but no longer than as
#: many restarts: processes that wait for a CPU miss deadlines, which the calm clock doesn't make up for.
_BUSY: Final = 0.8
_RESTARTS: Final = 2.0


def killed_at_each_failpoint(make: MakeArena, rng: Random, run: Run) -> None:
    """Kill workers at each failpoint, from the fetch to the commit."""
    points = get_args(StreamPoint) * run.sizes.kills_per_failpoint
    kills = Kills(len(points), 1 / 4)
    while kills.goes_on(run):
        with make(watched=not kills.count) as arena:
            arena.feeder.start(mixed(rng), rate=RATE)
            for point in points[kills.count :][:_KILLS_PER_WORLD]:
                worker = arena.start(TEST_FAILPOINTS=f"{point}=kill@{rng.randint(1, 4)}")
                arena.await_death(worker)
                arena.section.note(f"killed {point}")
                kills.recover(arena)
                arena.terminate(arena.workers[0])
                run.say(f"killed at failpoints: {kills.count}")
                if not kills.goes_on(run):
                    break
            arena.start()
            arena.finish()
            kills.judged(arena)
    kills.judge(run)


def killed_beside_another(make: MakeArena, rng: Random, run: Run) -> None:
    """Kill one of two workers of a server at random moments of slow writes."""
    _killed(make, rng, run, until=2 / 4, workers=2, server=True, record=True)


def killed_with_the_index_inside(make: MakeArena, rng: Random, run: Run) -> None:
    """Kill the product's own command, with the embedded index, at random moments."""
    _killed(make, rng, run, until=3 / 4, workers=1, runner="bytewax")


def killed_in_the_plain_loop(make: MakeArena, rng: Random, run: Run) -> None:
    """Kill the plain loop, with the embedded index, at random moments."""
    _killed(make, rng, run, until=4 / 4, workers=1)


def _killed(make: MakeArena, rng: Random, run: Run, *, until: float, workers: int, **arguments: Any) -> None:
    at_failpoints = run.sizes.kills_per_failpoint * len(get_args(StreamPoint))
    kills = Kills(-(-(run.sizes.kills - at_failpoints) // _KINDS_OF_KILLS), until)
    while kills.goes_on(run):
        with make(**arguments) as arena:
            if arena.server is not None:
                arena.server.inject(Fault("slow", on="writes", seconds=0.05))
            for _ in range(workers):
                arena.start()
            arena.feeder.start(mixed(rng), rate=RATE)
            for _ in range(_KILLS_PER_WORLD):
                _kill_one(arena, rng)
                kills.recover(arena)
                run.say(f"killed at random: {kills.count} of {kills.wanted} in this lane")
                if not kills.goes_on(run):
                    break
            arena.finish()
            kills.judged(arena)
            if arguments.get("record"):
                again, records = arena.duplicates()
                arena.section.found("done twice", f"{again} of {records}")
    kills.judge(run)


def _kill_one(arena: Arena, rng: Random) -> None:
    """Kill a worker that has acked records."""
    worker = rng.choice(arena.workers)
    arena.await_all(lambda: worker.metric("tickets_acked_total") > 0, "work for a worker")
    time.sleep(rng.uniform(0, 0.7))
    arena.kill(worker)
    arena.section.note("killed")


class Kills:
    """Number of kills, and the recovery time after each, over all worlds."""

    def __init__(self, wanted: int, until: float) -> None:
        """`until`: share of the parallel attacks' time after which no new kill is made."""
        self.wanted = wanted
        self._until = until
        self.recoveries_s: list[float] = []
        self.starts_s: list[float] = []
        self.excused = 0
        self._section: Section | None = None
        self._bound_s = 0.0

    @property
    def count(self) -> int:
        """Number of kills so far."""
        return len(self.recoveries_s) + self.excused

    @property
    def done(self) -> bool:
        """Whether all wanted kills were made."""
        return self.count >= self.wanted

    def goes_on(self, run: Run) -> bool:
        """Whether another kill should be made: the first always, others while there is time."""
        return not self.done and not (self.count and run.half_over(self._until))

    def recover(self, arena: Arena) -> None:
        """Start a worker and wait until every partition's commit moves.

        The recovery time counts from the start of the process, in calm seconds. One that is late on a busy machine is
        compared with a restart at once.
        """
        began = time.monotonic()
        took_s = self._start(arena)
        if took_s > _bound_s(arena) and took_s < _BUSY * (time.monotonic() - began):
            arena.terminate(arena.workers[-1])
            restart_s = self._start(arena)
            if took_s <= arena.session_timeout_s + _RESTARTS * restart_s:
                self.excused += 1
                arena.section.note(f"a recovery took {took_s:.1f} s, and a restart beside it {restart_s:.1f} s")
                return
        self.recoveries_s.append(took_s)

    def _start(self, arena: Arena) -> float:
        """Start a worker, and return the seconds until every partition's commit has moved."""
        began, before = calm_clock(), arena.committed()
        worker = arena.start()
        self.starts_s.append(arena.await_all(lambda: worker.metric("tickets_build_info") > 0, "the start of a worker"))
        arena.await_moved(before)
        return calm_clock() - began

    def judged(self, arena: Arena) -> None:
        """Note that a world was judged: its section takes the figures."""
        self._section, self._bound_s = arena.section, _bound_s(arena)

    def judge(self, run: Run) -> None:
        """Report the figures. Raises `BrokenError` for too few kills or a slow recovery."""
        enough = self.done or run.may_end_early
        require("count", enough, f"{self.count} of {self.wanted} kills were made")
        assert self._section is not None
        late = percentile(self.recoveries_s, 95)
        found = self._section.found
        found("kills", self.count, bound=self.wanted, kept=self.done)
        if self.excused:
            found("late recoveries on a busy machine, no later than two restarts", self.excused)
        found("start of a worker, p50, s", percentile(self.starts_s, 50))
        found("recovery from its start, p50, s", percentile(self.recoveries_s, 50))
        found("recovery from its start, p95, s", late, bound=self._bound_s, kept=late <= self._bound_s)
        require("P1", late <= self._bound_s, f"recovery took {late:.1f} s, {self._bound_s:.0f} s are promised")


def _bound_s(arena: Arena) -> float:
    """The longest recovery that is promised, in calm seconds."""
    return arena.session_timeout_s + _RECOVERY_S
