"""Tracks which offsets may be committed: the contiguous acked prefix of each partition, never more.

Each *assignment* of a partition has a generation. An ack is ignored if its record was delivered under an earlier
generation: another member may own the partition by now.

The *commit position* is the offset to continue from after a restart: one past the last offset of the acked prefix. The
prefix is over delivered offsets, which need not be consecutive: compaction, transactions and retention leave gaps. When
everything delivered is acked, the position moves over a gap at the end, such as the marker of a transaction.
"""

import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from core.errors import FatalError
from core.records import PartitionReceipt, Receipt, Record

TopicPartition = tuple[str, int]


class Gap(Struct, frozen=True):
    """Offsets [start, end) of a partition at which nothing was read."""

    partition: TopicPartition
    start: int
    end: int


class _Assignment:
    """One partition under one generation."""

    __slots__ = (
        "acked",
        "begin",
        "commit_position",
        "committed",
        "delivered",
        "expected",
        "generation",
        "group_offset",
        "last",
        "read_to",
    )

    def __init__(self, generation: int, expected: int | None, group_offset: int | None) -> None:
        self.generation = generation
        self.group_offset = group_offset  # what the group had committed, 0 for nothing; None if unknown
        self.delivered: deque[int] = deque()  # at or after the commit position, ascending
        self.acked: set[int] = set()  # those of them that are done
        self.last = -1
        self.begin = expected or 0  # where reading begins
        self.read_to = -1  # everything before it was delivered, or is not there
        self.expected = expected  # the offset to be read next, where there is no gap; None before the first one
        self.commit_position: int | None = None
        self.committed: int | None = None

    def ack(self, offsets: Iterable[int]) -> None:
        self.acked.update(offsets)
        while self.delivered and self.delivered[0] in self.acked:
            offset = self.delivered.popleft()
            self.acked.discard(offset)
            self.commit_position = offset + 1
        self.pass_gap()

    def pass_gap(self) -> None:
        """Move the commit position to the end of what was read, if all of it is done."""
        if not self.delivered and self.read_to > (self.commit_position or self.begin):
            self.commit_position = self.read_to


class OffsetTracker:
    """Thread-safe: the consumer delivers and commits, writers ack."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._assignments: dict[TopicPartition, _Assignment] = {}
        self._generation = 0
        self._gaps: list[Gap] = []

    @property
    def partitions(self) -> set[TopicPartition]:
        """The partitions assigned now."""
        with self._changed:
            return set(self._assignments)

    def generation(self, partition: TopicPartition) -> int | None:
        """The generation of a partition; None if it is not assigned."""
        with self._changed:
            assignment = self._assignments.get(partition)
            return None if assignment is None else assignment.generation

    def expected(self, partition: TopicPartition) -> int:
        """The offset to be delivered next, unless there is a gap; 0 if it is unknown."""
        with self._changed:
            assignment = self._assignments.get(partition)
            return 0 if assignment is None else assignment.expected or 0

    def assign(
        self, partitions: Iterable[TopicPartition], *, committed: Mapping[TopicPartition, int] | None = None
    ) -> None:
        """Start a new generation of `partitions`. `committed`: the group's offsets, where reading begins, if known."""
        with self._changed:
            self._generation += 1
            for partition in partitions:
                begin = None if committed is None else committed.get(partition)
                known = None if committed is None else begin or 0
                self._assignments[partition] = _Assignment(self._generation, begin, known)

    def remove(self, partitions: Iterable[TopicPartition]) -> None:
        """Forget `partitions`, after they were committed and revoked, or after they were lost."""
        with self._changed:
            for partition in partitions:
                self._assignments.pop(partition, None)
            self._changed.notify_all()

    def deliver(self, records: Sequence[Record]) -> Receipt:
        """Note that `records`, all of assigned partitions, are in flight. Returns the token to ack them with.

        Raises:
            FatalError: an offset of a partition is not past the previous one of its generation: the client went
                backwards, and a commit could skip the offsets between.
        """
        offsets: dict[TopicPartition, list[int]] = {}
        size = 0
        for record in records:
            origin = record.origin
            offsets.setdefault((origin.topic, origin.partition), []).append(origin.offset)
            size += record.size
        receipts = []
        with self._changed:
            for partition, numbers in offsets.items():
                assignment = self._assignments[partition]
                for offset in numbers:
                    if offset <= assignment.last:
                        raise FatalError(
                            f"{partition[0]}[{partition[1]}]: the client went backwards: it read offset {offset} "
                            f"after {assignment.last}; its log may have been cut, so start the worker again"
                        )
                    if assignment.expected is not None and offset > assignment.expected:
                        self._gaps.append(Gap(partition, assignment.expected, offset))
                    assignment.last = offset
                    assignment.expected = offset + 1
                    assignment.delivered.append(offset)
                receipts.append(PartitionReceipt(partition, assignment.generation, tuple(numbers)))
        return Receipt(tuple(receipts), len(records), size)

    def reached(self, partition: TopicPartition, offset: int) -> None:
        """Note that everything of an assigned partition before `offset` was delivered, or doesn't exist."""
        with self._changed:
            assignment = self._assignments.get(partition)
            if assignment is None or offset <= assignment.last or offset <= assignment.read_to:
                return
            if assignment.expected is not None and offset > assignment.expected:
                self._gaps.append(Gap(partition, assignment.expected, offset))
            assignment.expected = assignment.read_to = offset
            assignment.pass_gap()

    def gaps(self) -> list[Gap]:
        """The gaps found since the last call."""
        with self._changed:
            found, self._gaps = self._gaps, []
            return found

    def ack(self, receipt: Receipt) -> None:
        """Mark everything of `receipt` as durable; parts of an earlier generation are ignored."""
        with self._changed:
            for part in receipt.partitions:
                assignment = self._assignments.get(part.partition)
                if assignment is not None and assignment.generation == part.generation:
                    assignment.ack(part.offsets)
            self._changed.notify_all()

    def committable(self, partitions: Iterable[TopicPartition] | None = None) -> dict[TopicPartition, int]:
        """Commit positions that have moved since they were committed, of `partitions` (default: all)."""
        wanted = None if partitions is None else set(partitions)
        with self._changed:
            return {
                partition: assignment.commit_position
                for partition, assignment in self._assignments.items()
                if assignment.commit_position is not None
                and assignment.commit_position != assignment.committed
                and (wanted is None or partition in wanted)
            }

    def commit_positions(self) -> dict[TopicPartition, int | None]:
        """The commit position of each assigned partition; None if nothing was acked yet."""
        with self._changed:
            return {partition: assignment.commit_position for partition, assignment in self._assignments.items()}

    def first_unfinished(self) -> dict[TopicPartition, int | None]:
        """The first offset of each assigned partition that is not done; None if nothing was read yet."""
        with self._changed:
            return {
                partition: assignment.delivered[0] if assignment.delivered else assignment.commit_position
                for partition, assignment in self._assignments.items()
            }

    def committed(self, offsets: Iterable[tuple[TopicPartition, int]]) -> None:
        """Note the commit positions that the broker has confirmed."""
        with self._changed:
            for partition, offset in offsets:
                assignment = self._assignments.get(partition)
                if assignment is not None:
                    assignment.committed = offset

    def drained(self, partitions: Iterable[TopicPartition] | None = None) -> bool:
        """True if no record of `partitions` (default: all) is in flight."""
        with self._changed:
            return self._drained(partitions)

    def wait_drained(self, partitions: Iterable[TopicPartition], timeout_s: float) -> bool:
        """Wait at most `timeout_s` until `partitions` are drained. False if they are not."""
        wanted = list(partitions)
        with self._changed:
            return self._changed.wait_for(lambda: self._drained(wanted), timeout_s)

    def _drained(self, partitions: Iterable[TopicPartition] | None) -> bool:
        wanted = self._assignments if partitions is None else partitions
        return not any(self._assignments[p].delivered for p in wanted if p in self._assignments)
