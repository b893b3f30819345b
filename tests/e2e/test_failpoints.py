"""Each failpoint kills a worker at its place, which determines what has been written."""

from pathlib import Path

import pytest

from connectors.qdrant.open import open_index_for_writing
from core.failpoints import VARIABLE
from models.open import load_embedder
from synthetic.tickets import events
from tests.e2e.world import WorkerProcess, World
from tests.rigs.waiting import wait_until

#: One batch at a time, so that the first hit is in the first batch and no other batch is in flight.
_ONE_BY_ONE = {"TICKETS_WRITER__MAX_CONCURRENT_BATCHES": "1", "TICKETS_WRITER__MAX_INFLIGHT_RECORDS": "40"}
_STEP = "tickets_step_seconds_count"


def _world(tansu: str, folder: Path) -> World:
    """A stream that begins with broken records, so that the first batch has dead letters."""
    world = World(tansu, folder, partitions=1)
    records = list(events(60, seed=4, broken=0.2))
    records.sort(key=lambda record: record.kind != "broken")
    world.produce(records)
    return world


def _tickets(world: World) -> int:
    embedder = load_embedder(world.settings.model)
    index = open_index_for_writing(world.settings.index, dimension=embedder.dimension, model=embedder.stamp)
    try:
        return len(list(index.tickets()))
    finally:
        index.close()


@pytest.mark.parametrize(
    ("point", "letters", "tickets"),
    [
        ("after_fetch", False, False),
        ("after_embed", False, False),
        ("after_dead_letter_ack", True, False),
        ("after_send", True, True),
        ("after_response", True, True),
        ("before_commit", True, True),
    ],
)
def test_each_failpoint_kills_at_its_place(
    tansu: str, tmp_path: Path, point: str, letters: bool, tickets: bool
) -> None:
    """The worker dies by SIGKILL without a commit; the failpoint determines which writes are done.

    The failpoint sleeps a second before the kill, so that asynchronous work started earlier is finished.
    """
    world = _world(tansu, tmp_path)
    hit = 4 if point == "after_send" else 1  # the first writes note the origin, log and settings of a new index
    armed = {VARIABLE: f"{point}=sleep:1@{hit},{point}=kill@{hit}"}
    with WorkerProcess(world, environment={**_ONE_BY_ONE, **armed}) as worker:
        assert worker.wait() == -9, worker.output()
        assert f"{point}=kill" in worker.output(), "a worker logs its failpoints"
    assert world.committed() == 0
    assert bool(world.letters()) == letters
    assert bool(_tickets(world)) == tickets


@pytest.mark.parametrize(("point", "step"), [("after_fetch", None), ("after_embed", "points")])
def test_failpoints_before_and_after_the_steps_differ(tansu: str, tmp_path: Path, point: str, step: str | None) -> None:
    """At after_fetch no step has run; at after_embed all steps have run and nothing is written."""
    world = _world(tansu, tmp_path)
    with WorkerProcess(world, environment={**_ONE_BY_ONE, VARIABLE: f"{point}=hang"}) as worker:
        wait_until(lambda: worker.metric("tickets_inflight") > 0, worker.output)
        if step:
            wait_until(lambda: worker.metric(_STEP, step=step) > 0, worker.output)
        else:
            assert worker.metric(_STEP) == 0
        assert worker.metric(_STEP, step="write_index") == 0
