"""Positions are noted in the index before they are committed, and callers can wait for that."""

import threading

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from delivery.noting import NotingTracker, Position
from delivery.offsets import OffsetTracker, TopicPartition
from tests.delivery.test_offsets_machines import PARTITIONS, SETTINGS, Group, _record
from tests.rigs.waiting import PATIENCE_S

_FIRST = PARTITIONS[0]


def _acked(*offsets: int) -> NotingTracker:
    tracker = NotingTracker()
    tracker.assign([_FIRST])
    tracker.ack(tracker.deliver([_record(_FIRST, offset) for offset in offsets]))
    return tracker


def test_a_position_is_committed_once_it_is_noted() -> None:
    """An acked position is committed only after it is noted; one acked after a note waits for the next."""
    tracker = _acked(0, 1)
    positions = tracker.await_positions(0)
    assert positions == {_FIRST: Position(1, 2)}
    tracker.ack(tracker.deliver([_record(_FIRST, 2)]))
    assert (tracker.committable(), tracker.commit_positions()) == ({}, {_FIRST: None})
    tracker.noted(positions)
    assert (tracker.committable(), tracker.commit_positions()) == ({_FIRST: 2}, {_FIRST: 2})
    tracker.committed([(_FIRST, 2)])
    assert tracker.committable() == {}
    assert tracker.await_positions(0) == {_FIRST: Position(1, 3)}


def test_the_groups_offsets_are_known_or_not() -> None:
    """Offsets are those of the assignment, or 0 if the group had none; if one is unknown, all are."""
    tracker = NotingTracker()
    tracker.assign(PARTITIONS[:2], committed={_FIRST: 7})
    tracker.deliver([_record(_FIRST, 7)])
    assert tracker.group_offsets() == {_FIRST: 7, PARTITIONS[1]: 0}
    tracker.assign([PARTITIONS[1]])
    assert tracker.group_offsets() is None
    tracker.remove([PARTITIONS[1]])
    assert tracker.group_offsets() == {_FIRST: 7}


def test_a_note_of_an_earlier_generation_commits_nothing() -> None:
    """A partition that was lost and reassigned is committed only up to positions noted since."""
    tracker = _acked(0, 1)
    late = tracker.await_positions(0)
    tracker.remove([_FIRST])
    tracker.assign([_FIRST])
    tracker.noted(late)
    assert tracker.committable() == {}
    tracker.ack(tracker.deliver([_record(_FIRST, 0)]))
    assert tracker.await_positions(0) == {_FIRST: Position(2, 1)}


def test_a_tracker_is_drained_when_its_positions_are_noted() -> None:
    """A worker that ends, or gives a partition away, waits for the note, so that its commit is complete."""
    tracker = _acked(0)
    assert not tracker.drained()
    assert not tracker.wait_drained([_FIRST], 0)
    tracker.noted(tracker.await_positions(0))
    assert tracker.drained()
    assert tracker.wait_drained([_FIRST], 0)


def test_somebody_who_waits_is_not_kept_until_the_next_note_is_due() -> None:
    """A worker that ends and a revocation request a note at once and don't wait for the next one."""
    tracker = _acked(0)
    tracker.drained()
    tracker.noted(tracker.await_positions(PATIENCE_S))

    def note() -> None:
        tracker.noted(tracker.await_positions(PATIENCE_S))

    noting = threading.Thread(target=note)
    noting.start()
    receipt = tracker.deliver([_record(_FIRST, 1)])
    threading.Timer(0.05, tracker.ack, [receipt]).start()
    assert tracker.wait_drained([_FIRST], PATIENCE_S / 2)
    noting.join()
    assert tracker.committable() == {_FIRST: 2}


def test_a_closed_tracker_keeps_nobody_waiting() -> None:
    """`await_positions` returns at once after `close`."""
    tracker = _acked()
    tracker.close()
    assert tracker.await_positions(PATIENCE_S) == {}


class Noted(Group):
    """`Group`, with an index that holds what was noted."""

    tracker_type: type[OffsetTracker] = NotingTracker

    def __init__(self) -> None:
        super().__init__()
        self.held = 0

    @rule()
    def note(self) -> None:
        assert isinstance(self.tracker, NotingTracker)
        positions = self.tracker.await_positions(0)
        self.held = max([self.held, *(position.offset for position in positions.values())])
        self.tracker.noted(positions)

    @invariant()
    def the_index_knows_of_all_that_is_committed(self) -> None:
        """P13: a group is never ahead of the positions in its index."""
        assert self.committed <= self.held

    @invariant()
    def the_index_holds_what_it_knows_of(self) -> None:
        assert all(offset in self.durable for offset in range(self.held) if offset % 3 != 1)


def test_no_group_is_ahead_of_its_index() -> None:
    """Only noted positions are committed and only acked ones noted, through revocations, losses and replays."""
    run_state_machine_as_test(Noted, settings=SETTINGS)


class _Hasty(NotingTracker):
    """Mutant: commits acked positions that aren't noted."""

    def committable(self, partitions: object = None) -> dict[TopicPartition, int]:
        del partitions
        return OffsetTracker.committable(self)

    def commit_positions(self) -> dict[TopicPartition, int | None]:
        return OffsetTracker.commit_positions(self)


class _Early(NotingTracker):
    """Mutant: notes delivered positions that aren't acked."""

    def _unnoted(self) -> dict[TopicPartition, Position]:
        last = {p: Position(a.generation, a.last + 1) for p, a in self._assignments.items() if a.last >= 0}
        return {p: position for p, position in last.items() if self._noted.get(p) != position}


@pytest.mark.parametrize("tracker", [_Hasty, _Early])
def test_the_machine_catches_a_tracker_that_runs_ahead(tracker: type[NotingTracker]) -> None:
    """The state machine fails for a tracker that commits before the note, and for one that notes before the ack."""
    once = settings(SETTINGS, max_examples=2_000, phases=[Phase.generate], print_blob=False, database=None)
    machine = type("Mutant", (Noted,), {"tracker_type": tracker})
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=once)
