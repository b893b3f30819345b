"""Which offsets may be committed: the contiguous acked prefix of each partition, never more.

An *assignment* of a partition has a generation. Records delivered under one generation and acked under another
belong to somebody else by now: such acks are ignored.

The *watermark* is the next offset to read after a restart: one past the last offset of the acked prefix. The
prefix counts delivered offsets, not numbers: compaction and transactions leave gaps in a partition.
"""

import threading
from collections import deque
from collections.abc import Iterable, Sequence

from core.errors import FatalError
from core.records import PartitionReceipt, Receipt, Record

TopicPartition = tuple[str, int]


class _Assignment:
    """One partition under one generation."""

    __slots__ = ("acked", "committed", "delivered", "generation", "last", "watermark")

    def __init__(self, generation: int) -> None:
        self.generation = generation
        self.delivered: deque[int] = deque()  # not yet passed by the watermark, ascending
        self.acked: set[int] = set()  # the ones among them that are done
        self.last = -1
        self.watermark: int | None = None
        self.committed: int | None = None

    def ack(self, offsets: Iterable[int]) -> None:
        self.acked.update(offsets)
        while self.delivered and self.delivered[0] in self.acked:
            offset = self.delivered.popleft()
            self.acked.discard(offset)
            self.watermark = offset + 1


class OffsetTracker:
    """Thread-safe: the consumer delivers and commits, writers ack."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._assignments: dict[TopicPartition, _Assignment] = {}
        self._generation = 0
        self._stale = 0

    @property
    def partitions(self) -> set[TopicPartition]:
        """What is assigned now."""
        with self._changed:
            return set(self._assignments)

    def generations(self) -> dict[TopicPartition, int]:
        """The generation that each partition of ours is assigned under."""
        with self._changed:
            return {partition: assignment.generation for partition, assignment in self._assignments.items()}

    @property
    def stale_acks(self) -> int:
        """Offsets acked after their partition was taken away."""
        return self._stale

    def assign(self, partitions: Iterable[TopicPartition]) -> None:
        """Start a new generation of `partitions`."""
        with self._changed:
            self._generation += 1
            for partition in partitions:
                self._assignments[partition] = _Assignment(self._generation)

    def remove(self, partitions: Iterable[TopicPartition]) -> None:
        """Forget `partitions`: revoked, after their commit, or lost."""
        with self._changed:
            for partition in partitions:
                self._assignments.pop(partition, None)
            self._changed.notify_all()

    def deliver(self, records: Sequence[Record]) -> Receipt:
        """Note that `records` are on their way. All must be of assigned partitions.

        Raises:
            FatalError: an offset that is not past the last one of its partition and generation: the client
                went backwards, and a commit could skip what lies between.
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
                            f"{partition[0]}[{partition[1]}]: offset {offset} was read after {assignment.last}"
                        )
                    assignment.last = offset
                    assignment.delivered.append(offset)
                receipts.append(PartitionReceipt(partition, assignment.generation, tuple(numbers)))
        return Receipt(tuple(receipts), len(records), size)

    def ack(self, receipt: Receipt) -> None:
        """Everything of `receipt` is durable. Acks of an older generation count for nothing."""
        with self._changed:
            for part in receipt.partitions:
                assignment = self._assignments.get(part.partition)
                if assignment is None or assignment.generation != part.generation:
                    self._stale += len(part.offsets)
                else:
                    assignment.ack(part.offsets)
            self._changed.notify_all()

    def committable(self, partitions: Iterable[TopicPartition] | None = None) -> dict[TopicPartition, int]:
        """Watermarks that moved since they were last committed, of `partitions` or of all."""
        wanted = None if partitions is None else set(partitions)
        with self._changed:
            return {
                partition: assignment.watermark
                for partition, assignment in self._assignments.items()
                if assignment.watermark is not None
                and assignment.watermark != assignment.committed
                and (wanted is None or partition in wanted)
            }

    def watermarks(self) -> dict[TopicPartition, int | None]:
        """The watermark of every partition assigned; None where nothing was acked yet."""
        with self._changed:
            return {partition: assignment.watermark for partition, assignment in self._assignments.items()}

    def reached(self) -> dict[TopicPartition, int | None]:
        """The offset before which all is done, of every partition assigned; None where nothing was read yet."""
        with self._changed:
            return {
                partition: assignment.delivered[0] if assignment.delivered else assignment.watermark
                for partition, assignment in self._assignments.items()
            }

    def committed(self, offsets: Iterable[tuple[TopicPartition, int]]) -> None:
        """The broker has confirmed these watermarks."""
        with self._changed:
            for partition, offset in offsets:
                assignment = self._assignments.get(partition)
                if assignment is not None:
                    assignment.committed = offset

    def drained(self, partitions: Iterable[TopicPartition] | None = None) -> bool:
        """Nothing delivered of `partitions`, or of any, is still on its way."""
        with self._changed:
            return self._drained(partitions)

    def wait_drained(self, partitions: Iterable[TopicPartition], timeout_s: float) -> bool:
        """Wait until `partitions` are drained, at most `timeout_s`; False when they are not."""
        wanted = list(partitions)
        with self._changed:
            return self._changed.wait_for(lambda: self._drained(wanted), timeout_s)

    def _drained(self, partitions: Iterable[TopicPartition] | None) -> bool:
        wanted = self._assignments if partitions is None else partitions
        return not any(self._assignments[p].delivered for p in wanted if p in self._assignments)
