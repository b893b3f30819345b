"""The offset tracker against naive models, as state machines."""

from itertools import takewhile

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test
from msgspec import Struct

from core.records import Origin, Receipt, Record
from delivery.offsets import OffsetTracker, TopicPartition

PARTITIONS = [("t", 0), ("t", 1), ("t", 2)]

#: A receipt, and the origin and generation of each of its records.
Delivered = tuple[Receipt, list[tuple[Origin, int]]]


def _record(partition: TopicPartition, offset: int) -> Record:
    return Record(Origin(*partition, offset), b"k", b"value", 0)


class _Read(Struct, frozen=True):
    """A record that was delivered, or an end that was reached."""

    offset: int
    end: bool = False

    @property
    def next(self) -> int:
        """The offset to go on from after it."""
        return self.offset + (not self.end)


class Delivery(RuleBasedStateMachine):
    """Partitions come and go; batches with gaps are delivered and acked in any order, also late; ends are reached."""

    tracker_type: type[OffsetTracker] = OffsetTracker
    receipts = Bundle("receipts")

    def __init__(self) -> None:
        super().__init__()
        self.tracker = self.tracker_type()
        # per assigned partition: what was read under this generation, those acked, the next to read
        self.delivered: dict[TopicPartition, list[_Read]] = {}
        self.acked: dict[TopicPartition, set[int]] = {}
        self.next: dict[TopicPartition, int] = {}
        self.generations: dict[TopicPartition, int] = {}
        self.generation = 0

    @rule(partition=st.sampled_from(PARTITIONS))
    def assign(self, partition: TopicPartition) -> None:
        if partition not in self.delivered:
            self.generation += 1
            self.generations[partition] = self.generation
            self.delivered[partition], self.acked[partition] = [], set()
            self.next.setdefault(partition, 0)
            self.tracker.assign([partition], committed={partition: self.next[partition]})

    @rule(partition=st.sampled_from(PARTITIONS), back=st.integers(0, 5))
    def remove(self, partition: TopicPartition, back: int) -> None:
        if self.delivered.pop(partition, None) is not None:
            self.tracker.remove([partition])
            del self.acked[partition], self.generations[partition]
            self.next[partition] = max(0, self.next[partition] - back)  # the next owner reads some of them again

    @rule(target=receipts, gaps=st.lists(st.tuples(st.sampled_from(PARTITIONS), st.integers(1, 3)), max_size=6))
    def deliver(self, gaps: list[tuple[TopicPartition, int]]) -> Delivered:
        records = []
        for partition, gap in gaps:
            if partition in self.delivered:
                offset = self.next[partition] + gap - 1
                self.next[partition] = offset + 1
                self.delivered[partition].append(_Read(offset))
                records.append(_record(partition, offset))
        receipt = self.tracker.deliver(records)
        assert receipt.records == len(records)
        assert receipt.bytes == sum(record.size for record in records)
        return receipt, [(r.origin, self.generations[r.origin.topic, r.origin.partition]) for r in records]

    @rule(partition=st.sampled_from(PARTITIONS), gap=st.integers(-2, 3))
    def reach(self, partition: TopicPartition, gap: int) -> None:
        """The client reports an end; it may have been overtaken by records."""
        if partition in self.delivered:
            end = max(0, self.next[partition] + gap)
            self.tracker.reached(partition, end)
            if end > self.next[partition]:
                self.next[partition] = end
                self.delivered[partition].append(_Read(end, end=True))

    @rule(delivered=consumes(receipts))
    def ack(self, delivered: Delivered) -> None:
        receipt, origins = delivered
        self.tracker.ack(receipt)
        for origin, generation in origins:
            if self.generations.get((origin.topic, origin.partition)) == generation:
                self.acked[origin.topic, origin.partition].add(origin.offset)

    @rule()
    def commit(self) -> None:
        self.tracker.committed(list(self.tracker.committable().items()))
        assert self.tracker.committable() == {}

    @invariant()
    def never_past_the_first_unacked(self) -> None:
        """The commit position is one past the acked prefix of the delivered offsets, or an end right behind it."""
        positions = self.tracker.commit_positions()
        assert set(positions) == set(self.delivered)
        for partition, read in self.delivered.items():
            done = list(takewhile(lambda one: one.end or one.offset in self.acked[partition], read))  # noqa: B023
            reached = [one.next for one in done if not one.end]
            least, most = max(reached, default=None), max((one.next for one in done), default=None)
            assert (least or 0) <= (positions[partition] or 0) <= (most or 0)
            if done == read:
                assert positions[partition] == most
            offsets = [one.offset for one in read if not one.end]
            assert self.tracker.drained([partition]) == (set(offsets) == self.acked[partition])


class Group(RuleBasedStateMachine):
    """One partition among members that come and go: the group's committed offset, and the durable offsets.

    Compaction has removed every third offset.
    """

    tracker_type: type[OffsetTracker] = OffsetTracker
    receipts = Bundle("receipts")

    def __init__(self) -> None:
        super().__init__()
        self.tracker = self.tracker_type()
        self.durable: set[int] = set()
        self.committed = self.next = 0
        self.position: int | None = None
        self.assign()

    def assign(self) -> None:
        """A member continues from the committed offset."""
        self.tracker.assign([PARTITIONS[0]])
        self.next, self.position = self.committed, None

    @rule(target=receipts, count=st.integers(1, 5))
    def deliver(self, count: int) -> Receipt:
        offsets = [n for n in range(self.next, self.next + 2 * count + 3) if n % 3 != 1][:count]
        self.next = offsets[-1] + 1
        return self.tracker.deliver([_record(PARTITIONS[0], offset) for offset in offsets])

    @rule()
    def reach(self) -> None:
        """The end is behind a record that was compacted away."""
        if self.next % 3 == 1:
            self.next += 1
        self.tracker.reached(PARTITIONS[0], self.next)

    @rule(receipt=consumes(receipts))
    def ack(self, receipt: Receipt) -> None:
        self.durable.update(receipt.partitions[0].offsets)
        self.tracker.ack(receipt)

    @rule()
    def commit(self) -> None:
        for partition, offset in self.tracker.committable().items():
            self.committed = offset
            self.tracker.committed([(partition, offset)])

    @rule(lost=st.booleans())
    def reassign(self, lost: bool) -> None:
        """The partition is revoked after a last commit, or lost without one; later acks are stale."""
        if not lost:
            self.commit()
        self.tracker.remove(PARTITIONS[:1])
        assert self.tracker.committable() == {}
        self.assign()

    @invariant()
    def nothing_is_skipped(self) -> None:
        """P1: every offset that the group will never read again is durable."""
        assert all(offset in self.durable for offset in range(self.committed) if offset % 3 != 1)

    @invariant()
    def the_position_never_falls_within_a_generation(self) -> None:
        position = self.tracker.commit_positions()[PARTITIONS[0]]
        assert (position or 0) >= (self.position or 0)
        self.position = position


SETTINGS = settings(max_examples=150, stateful_step_count=40, deadline=None)


def test_the_commit_position_follows_the_acked_prefix() -> None:
    """The tracker agrees with a naive model under any order of deliveries, acks, rebalances and commits."""
    run_state_machine_as_test(Delivery, settings=SETTINGS)


def test_no_group_skips_what_is_not_durable() -> None:
    """Over revocations, losses, late acks and replays, every offset before a commit is durable."""
    run_state_machine_as_test(Group, settings=SETTINGS)


class _HighestAcked(OffsetTracker):
    """Mutant: commits past the highest ack, as auto-commit does."""

    def ack(self, receipt: Receipt) -> None:
        super().ack(receipt)
        for part in receipt.partitions:
            assignment = self._assignments.get(part.partition)
            if assignment is not None and assignment.generation == part.generation:
                assignment.commit_position = max(assignment.commit_position or 0, max(part.offsets) + 1)


class _LastAcked(OffsetTracker):
    """Mutant: commits past the last ack, over records in flight, and backwards."""

    def ack(self, receipt: Receipt) -> None:
        super().ack(receipt)
        for part in receipt.partitions:
            assignment = self._assignments.get(part.partition)
            if assignment is not None and assignment.generation == part.generation:
                assignment.commit_position = part.offsets[-1] + 1


class _EndAtOnce(OffsetTracker):
    """Mutant: commits the end of a partition while records before it are in flight."""

    def reached(self, partition: TopicPartition, offset: int) -> None:
        super().reached(partition, offset)
        assignment = self._assignments.get(partition)
        if assignment is not None and offset >= (assignment.expected or 0):
            assignment.commit_position = offset


@pytest.mark.parametrize("tracker", [_HighestAcked, _LastAcked, _EndAtOnce])
def test_the_machines_catch_a_tracker_that_commits_too_far(tracker: type[OffsetTracker]) -> None:
    """Both state machines fail for trackers that commit past records in flight."""
    once = settings(SETTINGS, max_examples=2_000, phases=[Phase.generate], print_blob=False, database=None)
    for kept in (Delivery, Group):
        machine = type("Mutant", (kept,), {"tracker_type": tracker})
        with pytest.raises(AssertionError):
            run_state_machine_as_test(machine, settings=once)
