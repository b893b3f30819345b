"""An offset tracker for workers that write an index: a position may be committed once it is noted in the index.

So the index always holds every committed record and has noted that: an index with lower positions was lost or restored
from an older copy (`core.provenance`).
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from delivery.offsets import OffsetTracker, TopicPartition


class Position(Struct, frozen=True):
    """A commit position under one generation of its partition."""

    generation: int
    offset: int


class NotingTracker(OffsetTracker):
    """Thread-safe: the consumer delivers and commits, writers ack, and another thread notes positions."""

    def __init__(self) -> None:
        super().__init__()
        self._noted: dict[TopicPartition, Position] = {}
        self._waiting = 0
        self._asked = False
        self._closed = False

    def await_positions(self, timeout_s: float) -> dict[TopicPartition, Position]:
        """The positions to note, by partition. Returns after `timeout_s`, or as soon as a drain waits for them."""
        with self._changed:
            self._changed.wait_for(self._is_urgent, timeout_s)
            self._asked = False
            return self._unnoted()

    def generations(self) -> dict[TopicPartition, int]:
        """The generation of each assigned partition."""
        with self._changed:
            return {partition: assignment.generation for partition, assignment in self._assignments.items()}

    def group_offsets(self) -> dict[TopicPartition, int] | None:
        """The group's offset in each partition at its assignment; None if one is unknown."""
        with self._changed:
            found = {
                partition: assignment.group_offset
                for partition, assignment in self._assignments.items()
                if assignment.group_offset is not None
            }
            return found if len(found) == len(self._assignments) else None

    def noted(self, positions: Mapping[TopicPartition, Position]) -> None:
        """Mark these positions as noted in the index."""
        with self._changed:
            self._noted |= positions
            self._changed.notify_all()

    def close(self) -> None:
        """Let `await_positions` return at once from now on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def committable(self, partitions: Iterable[TopicPartition] | None = None) -> dict[TopicPartition, int]:
        """See `OffsetTracker`; only noted positions."""
        wanted = None if partitions is None else set(partitions)
        with self._changed:
            return {
                partition: offset
                for partition, offset in self.commit_positions().items()
                if offset is not None
                and offset != self._assignments[partition].committed
                and (wanted is None or partition in wanted)
            }

    def commit_positions(self) -> dict[TopicPartition, int | None]:
        """See `OffsetTracker`; only noted positions."""
        with self._changed:
            return {
                partition: noted.offset
                if (noted := self._noted.get(partition)) is not None and noted.generation == assignment.generation
                else None
                for partition, assignment in self._assignments.items()
            }

    def drained(self, partitions: Iterable[TopicPartition] | None = None) -> bool:
        """See `OffsetTracker`; and every position is noted."""
        with self._changed:
            if super().drained(partitions):
                return True
            self._asked = True
            self._changed.notify_all()
            return False

    def wait_drained(self, partitions: Iterable[TopicPartition], timeout_s: float) -> bool:
        """See `OffsetTracker`; and until every position is noted."""
        with self._changed:
            self._waiting += 1
            self._changed.notify_all()
            try:
                return super().wait_drained(partitions, timeout_s)
            finally:
                self._waiting -= 1

    def _drained(self, partitions: Iterable[TopicPartition] | None) -> bool:
        wanted = self._assignments if partitions is None else list(partitions)
        return super()._drained(wanted) and not any(partition in self._unnoted() for partition in wanted)

    def _unnoted(self) -> dict[TopicPartition, Position]:
        done = {
            partition: Position(assignment.generation, assignment.commit_position)
            for partition, assignment in self._assignments.items()
            if assignment.commit_position is not None
        }
        return {partition: position for partition, position in done.items() if self._noted.get(partition) != position}

    def _is_urgent(self) -> bool:
        return self._closed or bool((self._waiting or self._asked) and self._unnoted())
