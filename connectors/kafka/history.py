"""The history of a group in a topic: the topic's id, and the number of records that expired unread.

Both are noted in the metadata of each commit. A topic that is deleted and created again has another id: an offset of
the old one is meaningless in the new one, although it looks valid there.
"""

import logging
import re
from collections.abc import Iterable, Sequence
from typing import Final, NoReturn

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition
from msgspec import Struct

from connectors.kafka.messages import partitions_of
from connectors.kafka.watch import TopicWatch
from core.errors import FatalError
from delivery.offsets import Gap
from delivery.offsets import TopicPartition as Partition

logger: Final = logging.getLogger("ticketstream.consumer")

#: Timeouts of requests for the committed offsets: on assignment, and later.
_ASSIGN_S: Final = 3.0
_AGAIN_S: Final = 0.5
_NOTE: Final = re.compile(r"(?:topic=(?P<topic>\S+))?\s*(?:expired=(?P<expired>[0-9]{1,18}))?")


class CommitNote(Struct, frozen=True):
    """The metadata of a commit.

    Attributes:
        topic_id: of the topic that the offset belongs to; None if it is unknown.
        expired: records of the partition that were deleted before the group had read them.
    """

    topic_id: str | None = None
    expired: int = 0

    def text(self) -> str:
        """The text that is committed."""
        parts = [f"topic={self.topic_id}"] if self.topic_id else []
        return " ".join([*parts, *([f"expired={self.expired}"] if self.expired else [])])

    def contradicts(self, topic_id: str | None) -> bool:
        """Whether the offset belongs to another topic of the same name."""
        return None not in {self.topic_id, topic_id} and self.topic_id != topic_id


def parse_note(text: str | None) -> CommitNote:
    """The note in a commit's metadata; an empty one if another program has written it."""
    match = _NOTE.fullmatch(text or "")
    return CommitNote() if match is None else CommitNote(match["topic"], int(match["expired"] or 0))


class HistoryObserver:
    """Callbacks of the history; override the ones you need."""

    def expired(self, topic: str, partition: int, records: int) -> None:
        """`records` of a partition were deleted before the group had read them."""

    def begun_anew(self, topic: str, partition: int) -> None:
        """A partition is read from its beginning, because the group's offset belonged to a deleted topic."""


class GroupHistory:
    """Not thread-safe: everything runs on the polling thread."""

    def __init__(self, watch: TopicWatch | None, *, observer: HistoryObserver) -> None:
        """Begin without a history. Without `watch` only gaps are counted."""
        self._watch = watch
        self._topic_id = None if watch is None else watch.topic_id
        self._observer = observer
        self._expired: dict[Partition, int] = {}
        self._unknown: set[Partition] = set()
        self._ended = False

    @property
    def ended(self) -> bool:
        """Whether the topic was deleted after reading began, so that its offsets must not be committed any more."""
        return self._ended

    def resume(
        self, client: Consumer, partitions: Sequence[TopicPartition]
    ) -> tuple[list[TopicPartition], dict[Partition, int] | None]:
        """The offsets to start from in newly assigned partitions, and the group's committed ones (None if unknown).

        If the coordinator doesn't answer, the client looks its offsets up itself, and nothing is committed until
        `check` has verified that they belong to this topic.
        """
        if self._watch is None:
            return list(partitions), None
        committed = self._committed(client, partitions, _ASSIGN_S)
        if committed is None:
            self._unknown |= partitions_of(partitions)
            return list(partitions), None
        start, offsets = [], {}
        for found in committed:
            partition = (found.topic, found.partition)
            if self._is_foreign(found):
                logger.warning(
                    "%s was deleted and created again: partition %d is read from its beginning, not from offset %d",
                    *partition,
                    found.offset,
                )
                self._observer.begun_anew(*partition)
                start.append(TopicPartition(*partition, OFFSET_BEGINNING))
                continue
            self._expired[partition] = parse_note(found.metadata).expired
            if found.offset >= 0:
                offsets[partition] = found.offset
        foreign = partitions_of(start)
        return [*start, *(one for one in partitions if (one.topic, one.partition) not in foreign)], offsets

    def check(self, client: Consumer) -> None:
        """Request unknown committed offsets again, and check that the topic is still the same.

        Raises:
            FatalError: the topic was deleted and created again.
        """
        if self._unknown:
            self._confirm(client)
        if self._watch is not None and self._watch.changed():
            self._end(self._watch.topic)

    def check_now(self) -> None:
        """Like `check`, but wait a second for the answer.

        Raises:
            FatalError: the topic was deleted and created again.
        """
        if self._watch is not None and self._watch.changed_now():
            self._end(self._watch.topic)

    def may_commit(self, partition: Partition) -> bool:
        """Whether the offset at which reading began is known to belong to this topic, and the topic is still there."""
        return not self._ended and partition not in self._unknown

    def note(self, partition: Partition) -> str:
        """Metadata for a commit of `partition`."""
        return CommitNote(self._topic_id, self._expired.get(partition, 0)).text()

    def forget(self, partitions: Iterable[Partition]) -> None:
        """Drop what is known of `partitions`, which are no longer held."""
        for partition in partitions:
            self._expired.pop(partition, None)
            self._unknown.discard(partition)

    def explain(self, client: Consumer, gaps: Iterable[Gap]) -> None:
        """Count the records in `gaps` that were deleted before they were read: those before the log's first offset.

        Other gaps are due to compaction and transactions.
        """
        for gap in gaps:
            start, _end = client.get_watermark_offsets(TopicPartition(*gap.partition), cached=True)
            records = min(start, gap.end) - gap.start
            if records > 0:
                topic, number = gap.partition
                self._expired[gap.partition] = self._expired.get(gap.partition, 0) + records
                logger.error(
                    "%s[%d]: records %d to %d were deleted before they were read: retention is shorter than the "
                    "group's delay, or somebody deleted them; send their tickets again",
                    topic,
                    number,
                    gap.start,
                    gap.start + records - 1,
                )
                self._observer.expired(topic, number, records)

    def _confirm(self, client: Consumer) -> None:
        wanted = [TopicPartition(*partition) for partition in sorted(self._unknown)]
        for found in self._committed(client, wanted, _AGAIN_S) or ():
            if self._is_foreign(found):
                self._end(found.topic)
            self._expired[found.topic, found.partition] = parse_note(found.metadata).expired
            self._unknown.discard((found.topic, found.partition))

    def _end(self, topic: str) -> NoReturn:
        self._ended = True
        raise FatalError(
            f"{topic} was deleted and created again while it was read; start the worker again: it reads the "
            f"new topic from its beginning, or reports that its index holds the old one"
        )

    def _is_foreign(self, found: TopicPartition) -> bool:
        return found.offset >= 0 and parse_note(found.metadata).contradicts(self._topic_id)

    def _committed(
        self, client: Consumer, partitions: Sequence[TopicPartition], timeout_s: float
    ) -> list[TopicPartition] | None:
        """The group's offsets, or None if the coordinator doesn't answer in time."""
        if not partitions:
            return []
        wanted = [TopicPartition(one.topic, one.partition) for one in partitions]
        try:
            found = client.committed(wanted, timeout_s)
        except KafkaException as error:
            logger.warning("the group's offsets aren't known yet: %s", error.args[0].str())
            return None
        return None if any(one.error is not None for one in found) else found
