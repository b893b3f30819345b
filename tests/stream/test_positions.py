"""The keeper of positions, which notes them before commits and checks the index while a worker runs."""

import time
from collections.abc import Iterator

import pytest

from core.errors import UnavailableError
from core.provenance import MismatchError
from core.records import Origin, Record
from delivery.noting import NotingTracker
from stream import positions
from stream.index_check import GroupState
from stream.integrity import Integrity
from stream.positions import PositionKeeper
from stream.telemetry import StreamTelemetry
from tests.rigs.waiting import wait_until
from tests.stream.provenances import LOG, MemoryEngine, created, origin, until, written
from tests.stream.provenances import positions as held


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONFIRM_S", "SHOWN_S", "_LOOK_S", "_RETRY_S"):
        monkeypatch.setattr(positions, name, 0.01)


class _Running:
    """A running keeper, an index that holds partitions 0 and 1 up to 10, and a worker that owns partition 0."""

    def __init__(self, engine: MemoryEngine | None = None) -> None:
        self.engine = engine or MemoryEngine()
        self.store = written(self.engine, {0: 10, 1: 10})
        self.integrity = Integrity(StreamTelemetry())
        self.tracker = NotingTracker()
        self.group = GroupState({0: 10, 1: 10}, 0)
        self.losses = 0
        self.asked = 0
        self.broker_out = False
        self.faults: list[BaseException] = []
        self.keeper = PositionKeeper(
            self.store,
            self.tracker,
            started=origin(self.store),
            log=LOG,
            ask=self._ask,
            losses=lambda: self.losses,
            integrity=self.integrity,
            interval_s=0.01,
            where="collection tickets",
        )
        self.tracker.assign([(LOG.topic, 0)])
        self.keeper.start(self.faults.append)

    def _ask(self) -> GroupState:
        if self.broker_out:
            raise UnavailableError("no broker answers")
        self.asked += 1
        return self.group

    def ack(self, *offsets: int) -> None:
        records = [Record(Origin(LOG.topic, 0, offset), b"k", b"", 0) for offset in offsets]
        self.tracker.ack(self.tracker.deliver(records))

    def committable(self) -> int | None:
        return self.tracker.committable().get((LOG.topic, 0))

    def await_fault(self) -> BaseException:
        wait_until(lambda: bool(self.faults), every_s=0.005)
        return self.faults[0]


@pytest.fixture
def running() -> Iterator[_Running]:
    """A keeper, closed at the end."""
    found = _Running()
    yield found
    found.keeper.close()


def test_positions_are_noted_and_then_committed(running: _Running) -> None:
    """Positions are noted in the index and then become committable."""
    running.ack(10, 11)
    wait_until(lambda: running.committable() == 12, every_s=0.002)
    assert held(running.store) == {0: 12, 1: 10}


def test_nothing_is_committed_while_the_index_is_out(running: _Running) -> None:
    """Positions wait for the end of the outage, and /ready says so meanwhile."""
    running.engine.out = True
    running.ack(10)
    wait_until(lambda: running.integrity.outage is not None, every_s=0.002)
    assert running.committable() is None
    running.engine.out = False
    wait_until(lambda: running.committable() == 11, every_s=0.002)
    wait_until(lambda: running.integrity.outage is None, every_s=0.002)
    assert not running.faults


def test_a_new_partition_waits_for_the_groups_offset(running: _Running) -> None:
    """Nothing is noted for a new partition until the broker answers with the group's offset."""
    running.broker_out = True
    running.ack(10)
    wait_until(lambda: running.integrity.outage is not None, every_s=0.002)
    assert (running.committable(), held(running.store)) == (None, {0: 10, 1: 10})
    running.broker_out = False
    wait_until(lambda: running.committable() == 11, every_s=0.002)


def test_a_silent_broker_delays_no_position_of_a_known_beginning(running: _Running) -> None:
    """If the offsets at the assignment are known, positions are noted although the broker is silent."""
    running.broker_out = True
    running.tracker.assign([(LOG.topic, 0), (LOG.topic, 1)], committed={(LOG.topic, 0): 10})
    running.losses = 1
    running.ack(10)
    wait_until(lambda: running.committable() == 11, every_s=0.002)
    assert held(running.store) == {0: 11, 1: 10}
    assert not running.faults


def test_a_known_beginning_ahead_of_the_index_stops_the_worker(running: _Running) -> None:
    """Offsets known from the assignment and ahead of the index stop the worker, although the broker is silent."""
    running.broker_out = True
    running.tracker.assign([(LOG.topic, 0)], committed={(LOG.topic, 0): 12})
    running.ack(12)
    assert isinstance(running.await_fault(), MismatchError)
    assert held(running.store)[0] == 10


def test_the_broker_is_asked_once_for_the_partitions_of_an_assignment(running: _Running) -> None:
    """The broker is asked once per assignment, for all its partitions."""
    topic = LOG.topic
    running.tracker.assign([(topic, 0), (topic, 1)])
    running.ack(10)
    wait_until(lambda: running.committable() == 11, every_s=0.002)
    other = [Record(Origin(topic, 1, 10), b"k", b"", 0)]
    running.tracker.ack(running.tracker.deliver(other))
    wait_until(lambda: (topic, 1) in running.tracker.committable(), every_s=0.002)
    assert running.asked == 1
    running.tracker.assign([(topic, 1)])
    running.tracker.ack(running.tracker.deliver([Record(Origin(topic, 1, 11), b"k", b"", 0)]))
    wait_until(lambda: running.tracker.committable().get((topic, 1)) == 12, every_s=0.002)
    assert running.asked == 2


def test_a_new_partition_that_is_ahead_of_the_index_stops_the_worker(running: _Running) -> None:
    """A new partition whose offset is ahead of the index stops the worker."""
    running.group = GroupState({0: 12, 1: 10}, 0)
    running.ack(12)
    assert isinstance(running.await_fault(), MismatchError)
    assert held(running.store)[0] == 10, "a higher position would hide what is missing"


def test_a_worker_of_an_earlier_version_may_commit_without_a_note() -> None:
    """For an hour after an upgrade, a partition ahead of the index doesn't stop the worker; later it does."""
    engine = MemoryEngine()
    created(engine, adopted=True)
    running = _Running(engine)
    running.group = GroupState({0: 12, 1: 15}, 0)
    running.ack(12)
    wait_until(lambda: running.committable() == 13, every_s=0.002)
    assert held(running.store) == {0: 13, 1: 15}
    running.keeper.close()
    assert not running.faults


def test_expired_records_are_noted(running: _Running) -> None:
    """Expired records are noted even without writes, so that readers of the index are warned."""
    running.group, running.losses = GroupState({0: 10, 1: 10}, 7), 7
    wait_until(lambda: origin(running.store).expired == 7, every_s=0.002)
    wait_until(lambda: "7 record(s) were deleted" in (running.integrity.warning or ""), every_s=0.002)
    assert running.integrity.fault is None


def test_an_index_restored_under_a_worker_stops_it(running: _Running) -> None:
    """An index that was restored to an older copy stops an idle worker too; it is marked, and searches are refused."""
    running.ack(10, 11)
    wait_until(lambda: running.committable() == 12, every_s=0.002)
    before = dict(running.engine.points)
    running.ack(12, 13)
    wait_until(lambda: running.committable() == 14, every_s=0.002)
    running.engine.points = before
    fault = running.await_fault()
    assert isinstance(fault, MismatchError)
    assert "restored from an older copy while a worker was writing to it: it lacks 2 record(s)" in str(fault)
    assert running.integrity.fault is not None
    assert (until(running.store)[0], origin(running.store).missing) == (14, 2)


def test_an_index_emptied_under_a_worker_stops_it(running: _Running) -> None:
    """A recreated collection stops the worker."""
    running.engine.points = {}
    created(running.engine)
    assert "emptied or replaced by another one" in str(running.await_fault())
    assert origin(running.store).missing == 20, "readers of the new index are warned"


def test_an_index_whose_files_were_replaced_stops_the_worker(running: _Running) -> None:
    """A replaced folder stops the worker, as the engine would write to files that no start opens."""
    running.engine.in_place = False
    fault = running.await_fault()
    assert isinstance(fault, MismatchError)
    assert "can't be read any more (its folder was replaced)" in str(fault)


def test_a_replica_that_is_behind_for_a_moment_is_no_mismatch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mismatch is checked again before the worker stops."""
    monkeypatch.setattr(positions, "CONFIRM_S", 0.2)
    running = _Running()
    now = running.engine.points
    running.engine.points = {}
    time.sleep(0.05)
    running.engine.points = now
    running.ack(10)
    wait_until(lambda: running.committable() == 11, every_s=0.002)
    assert not running.faults
    running.keeper.close()


def test_a_rebuilt_index_is_followed_once_it_is_finished(running: _Running) -> None:
    """Until the rebuild has added what was acked to the old index, nothing is noted or committed."""
    old = origin(running.store).index
    running.engine.points = {}
    store = created(running.engine, replaces=old)
    store.note_log(LOG)
    running.ack(10, 11, 12)
    wait_until(lambda: "a rebuild" in (running.integrity.outage or ""), every_s=0.002)
    assert running.committable() is None
    store.advance(LOG, {0: (0, 11), 1: (0, 10)})
    store.finish()
    wait_until(lambda: running.committable() == 13, every_s=0.002)
    assert not running.faults


def test_a_worker_that_ends_meanwhile_is_not_failed(running: _Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """A keeper that is closed while it shows a mismatch ends without a fault."""
    monkeypatch.setattr(positions, "SHOWN_S", 60.0)
    running.engine.points = {}
    wait_until(lambda: running.integrity.mismatch is not None, every_s=0.002)
    running.keeper.close()
    assert not running.faults
