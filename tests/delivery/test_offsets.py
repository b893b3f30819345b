"""The offset tracker on sequences written by hand."""

import pytest

from core.errors import FatalError
from core.records import Origin, Receipt, Record
from delivery.offsets import Gap, OffsetTracker, TopicPartition

PARTITIONS = [("t", 0), ("t", 1), ("t", 2)]


def _record(partition: TopicPartition, offset: int) -> Record:
    return Record(Origin(*partition, offset), b"k", b"value", 0)


def test_a_receipt_counts_keys_values_and_headers() -> None:
    """A receipt's bytes are those of keys, values and headers; a null value has none."""
    tracker = OffsetTracker()
    tracker.assign([PARTITIONS[0]])
    heavy = Record(Origin(*PARTITIONS[0], 0), b"key", b"value", 0, (("trace", b"x" * 1_000), ("n", b"")))
    receipt = tracker.deliver([heavy, Record(Origin(*PARTITIONS[0], 1), None, None, 0)])
    assert receipt.bytes == 3 + 5 + 5 + 1_000 + 1


def test_the_first_unfinished_offset_is_known_from_the_first_record_on() -> None:
    """Before any ack it is the first offset read, so that a stream that is stuck from its start has a lag."""
    tracker = OffsetTracker()
    tracker.assign([PARTITIONS[0]])
    assert tracker.first_unfinished() == {PARTITIONS[0]: None}
    first, second = (tracker.deliver([_record(PARTITIONS[0], offset)]) for offset in (40, 41))
    assert tracker.first_unfinished() == {PARTITIONS[0]: 40}
    tracker.ack(second)
    assert tracker.first_unfinished() == {PARTITIONS[0]: 40}
    tracker.ack(first)
    assert tracker.first_unfinished() == {PARTITIONS[0]: 42}


def test_a_gap_at_the_end_is_passed_when_all_before_it_is_done() -> None:
    """The marker of a transaction takes an offset and is no record: without it an idle stream would have a lag of 1."""
    tracker = OffsetTracker()
    tracker.assign([PARTITIONS[0]])
    receipt = tracker.deliver([_record(PARTITIONS[0], 0)])
    tracker.reached(PARTITIONS[0], 2)
    assert tracker.first_unfinished() == {PARTITIONS[0]: 0}
    assert tracker.committable() == {}
    tracker.ack(receipt)
    assert tracker.committable() == {PARTITIONS[0]: 2}
    tracker.reached(PARTITIONS[0], 5)
    assert tracker.first_unfinished() == {PARTITIONS[0]: 5}


def test_the_end_of_what_was_committed_is_not_committed_again() -> None:
    """An idle member doesn't commit the same end again."""
    tracker = OffsetTracker()
    tracker.assign(PARTITIONS[:2], committed={PARTITIONS[0]: 7})
    tracker.reached(PARTITIONS[0], 7)
    tracker.reached(PARTITIONS[1], 0)
    tracker.reached(PARTITIONS[2], 9)
    assert tracker.committable() == {}


def test_gaps_are_told_once() -> None:
    """Gaps before, between and after records are reported once each."""
    tracker = OffsetTracker()
    tracker.assign(PARTITIONS[:2], committed={PARTITIONS[0]: 10})
    assert tracker.expected(PARTITIONS[0]) == 10
    assert tracker.expected(PARTITIONS[1]) == tracker.expected(PARTITIONS[2]) == 0
    tracker.deliver([_record(PARTITIONS[0], 30), _record(PARTITIONS[0], 31), _record(PARTITIONS[0], 33)])
    tracker.deliver([_record(PARTITIONS[1], 5)])
    tracker.reached(PARTITIONS[0], 36)
    assert tracker.gaps() == [Gap(PARTITIONS[0], 10, 30), Gap(PARTITIONS[0], 32, 33), Gap(PARTITIONS[0], 34, 36)]
    assert tracker.gaps() == []
    assert tracker.expected(PARTITIONS[0]) == 36


class _AnyGeneration(OffsetTracker):
    """Mutant: counts acks from an earlier assignment."""

    def ack(self, receipt: Receipt) -> None:
        for part in receipt.partitions:
            assignment = self._assignments.get(part.partition)
            if assignment is not None:
                assignment.ack(part.offsets)


def test_an_offset_that_goes_backwards_within_an_assignment_is_fatal() -> None:
    """A client that goes backwards stops the worker, because a commit could skip records."""
    tracker = OffsetTracker()
    tracker.assign([("t", 0)])
    tracker.deliver([_record(("t", 0), 5)])
    with pytest.raises(FatalError, match=r"t\[0\]: the client went backwards: it read offset 5 after 5"):
        tracker.deliver([_record(("t", 0), 5)])


def _after_a_late_ack(tracker: OffsetTracker) -> dict[TopicPartition, int | None]:
    """A partition is removed with a record in flight, assigned again and read again; then the first ack arrives."""
    tracker.assign([("t", 0)])
    late = tracker.deliver([_record(("t", 0), 5)])
    tracker.remove([("t", 0)])
    tracker.assign([("t", 0)])
    tracker.deliver([_record(("t", 0), 5)])
    tracker.ack(late)
    return tracker.commit_positions()


def test_an_ack_from_an_earlier_generation_is_ignored() -> None:
    """Only an ack of the present generation may commit a record that was delivered again."""
    assert _after_a_late_ack(OffsetTracker()) == {("t", 0): None}
    assert _after_a_late_ack(_AnyGeneration()) == {("t", 0): 6}, "the mutant commits it"
