"""A trial of an index that doesn't match the group's offsets."""

import shutil
import time
from collections.abc import Sequence
from random import Random
from typing import Final

from synthetic.tickets import SyntheticRecord, events
from tests.e2e.world import WorkerProcess
from tests.faults.arena import Arena, MakeArena
from tests.faults.crowd import LOOK_S
from tests.faults.oracle import require
from tests.faults.tickets import deleted, ticket
from tests.rigs.calm import calm_clock

#: Time from its start in which a worker reports that its index doesn't match the group's offsets.
_SAID_S: Final = 10.0
#: Time for several searches of the sampler.
_ASKED_S: Final = 3.0


def index_from_an_older_copy(make: MakeArena, rng: Random) -> None:
    """An older copy of the index is reported, nothing of it is shown, and a replay repairs it."""
    with make() as arena:
        index = arena.world.settings.index.path
        copy = arena.world.folder / "copy"
        arena.terminate(
            _written(arena, [ticket("kept", 1), ticket("gone", 1), *events(100, seed=rng.randrange(10**6))])
        )
        shutil.copytree(index, copy)
        arena.terminate(_written(arena, [ticket("kept", 2), deleted("gone", 2)]))
        shutil.rmtree(index)
        copy.rename(index)
        worker = arena.start()
        arena.section.found("said after, s", said := _await_reason(worker), bound=_SAID_S, kept=said <= _SAID_S)
        require("P13", said <= _SAID_S, f"said after {said:.1f} s")
        asked = time.monotonic()  # as the worker counts the time until it ends
        arena.await_all(lambda: time.monotonic() - asked > _ASKED_S, "some time for searches")
        require("P13", worker.metric("tickets_index_mismatch") == 1, "the metric doesn't tell")
        require("P13", worker.metric("tickets_index_missing_records") == 2, "the missing records aren't counted")
        arena.kill(worker)
        arena.start(INDEX__ON_MISMATCH="reread")
        arena.send([ticket("kept", 3)])
        arena.finish()


def _written(arena: Arena, records: Sequence[SyntheticRecord]) -> WorkerProcess:
    """A worker that has written and committed `records`."""
    before = sum(arena.committed().values())
    worker = arena.start()
    arena.send(records)
    arena.await_committed(before + len(records))
    arena.await_answers(1)
    return worker


def _await_reason(worker: WorkerProcess) -> float:
    """Calm seconds until /ready says that the index lacks records."""
    began = calm_clock()
    while calm_clock() - began < 2 * _SAID_S:
        worker.assert_runs()
        ready, reason = worker.ready()
        require("P13", not ready, "a worker whose index lacks records is ready")
        if "the index lacks 2 record(s)" in reason:
            break
        time.sleep(LOOK_S)
    return calm_clock() - began
