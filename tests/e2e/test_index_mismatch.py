"""An index that doesn't match its group's offsets stops the worker with a message, until the log is read again.

`tests/faults/test_index_mismatch.py` has the cases under running workers.
"""

import os
import re
import shutil
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from synthetic.tickets import events
from tests.e2e.mismatches import contents_of, drain, read_again, stops
from tests.e2e.terminal import Terminal
from tests.e2e.world import WorkerProcess, World, assert_same
from tests.rigs.calm import calm_clock
from tests.rigs.waiting import wait_until


@pytest.fixture
def world(tansu: str, tmp_path: Path) -> World:
    """A stream without records, on the broker in TICKETS_TEST_KAFKA if that is set."""
    own = os.environ.get("TICKETS_TEST_KAFKA")
    return World(own or tansu, tmp_path, session_timeout_s=6 if own else 1)


def test_a_lost_index_stops_the_worker_and_is_read_again(world: World) -> None:
    """After the loss no search is answered, `status` and `doctor` say why, and re-reading restores the fold."""
    world.produce(events(200, seed=1, edits=0.3, deletes=0.1))
    drain(world)
    terminal = Terminal(world)
    assert terminal.json("status")["fault"] is None
    shutil.rmtree(world.settings.index.path)
    assert "there is no index, but group" in terminal.json("status")["fault"]
    began = calm_clock()
    with WorkerProcess(world) as worker:
        stops(world, began, worker, "the index lacks 200 record(s)")
    assert "must be read again: it lacks 200 record(s)" in terminal.json("status")["fault"]
    assert "lacks 200" in terminal.failure("search", "--tenant", "acme", "card", code=3)
    assert "lacks 200" in next(
        f["detail"] for f in terminal.json("doctor", code=3) if f["check"] == "index and offsets"
    )
    read_again(world)
    assert_same(contents_of(world, world.settings.index), world.folded(world.log()))
    assert terminal.json("status")["fault"] is None
    assert all(f["healthy"] for f in terminal.json("doctor", code=3) if f["check"].startswith("index")), "topics lack"
    terminal.run("search", "--tenant", "acme", "card")


def test_a_topic_that_was_created_again_stops_the_worker(world: World) -> None:
    """Records of the recreated topic aren't mixed with old tickets; `rebuild` makes a new index."""
    world.produce(events(100, seed=2))
    drain(world)
    _create_again(world)
    world.produced = 0
    world.produce(events(50, seed=3))
    began = calm_clock()
    with WorkerProcess(world) as worker:
        stops(world, began, worker, f"topic {world.settings.topics.raw} was deleted and created again")
    assert "created again" in Terminal(world).json("status")["fault"]
    assert "belongs to another log" in Terminal(world).failure("reconcile", "--repair", code=2)
    before = contents_of(world, world.settings.index)
    (missing,) = re.findall(r"--accept-missing ([0-9]+)", Terminal(world).failure("rebuild", code=2))
    assert_same(contents_of(world, world.settings.index), before)
    Terminal(world).json("rebuild", "--accept-missing", missing)
    drain(world)
    assert_same(contents_of(world, world.settings.index), world.folded(world.log()))


def _create_again(world: World) -> None:
    topic = world.settings.topics.raw
    client = AdminClient({"bootstrap.servers": world.settings.kafka.brokers})
    client.delete_topics([topic])[topic].result(10)
    wait_until(lambda: topic not in world.cluster.topics(), every_s=0.1)
    world.cluster.create_topic(topic, partitions=4, replication=1, config={})
