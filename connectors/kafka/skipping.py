"""Skips a batch that the client can't read, because of its checksum or because it can't be unpacked.

librdkafka reports such a batch by its first offset, again and again, and never goes past it. Its end is found by
seeking: an offset inside it brings the same report, one after it brings a record or the end of the partition.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

from connectors.kafka.messages import Item, Reached, Unreadable, partition_of
from core.records import Damage, Origin, Record
from delivery.offsets import TopicPartition as Partition

logger: Final = logging.getLogger("ticketstream.consumer")


class _Search:
    """The search for the end of one batch, which lies after `bad` and at or before `good`."""

    __slots__ = ("bad", "base", "first", "good", "probe", "reason", "step")

    def __init__(self, found: Unreadable, *, first: int, end: int) -> None:
        self.base = found.offset
        self.reason = found.reason
        self.first = self.bad = self.probe = first
        self.good = max(end, first + 1)
        self.step = 1

    @property
    def ended(self) -> bool:
        return self.good - self.bad == 1

    def next_probe(self) -> int:
        """The next offset to try: doubles the step while there is room, then halves the interval."""
        self.probe = min(self.bad + self.step, (self.bad + self.good + 1) // 2, self.good - 1)
        return self.probe


class BatchSkipper:
    """Replaces each unreadable batch by one damaged record at its first offset. Used on the polling thread."""

    def __init__(self, client: Consumer, *, expected: Callable[[Partition], int]) -> None:
        """Seek with `client`. `expected` is the offset to be read next in a partition, or 0 if that is unknown."""
        self._client = client
        self._expected = expected
        self._searches: dict[Partition, _Search] = {}

    def read(self, item: Item) -> Sequence[Record | Reached]:
        """The items to pass on after the client has returned `item`: none while the end of a batch is searched."""
        if not self._searches and not isinstance(item, Unreadable):
            return (item,)
        partition = partition_of(item)
        search = self._searches.get(partition)
        if isinstance(item, Unreadable):
            return self._unreadable(partition, item, search)
        return (item,) if search is None else self._readable(partition, item, search)

    def forget(self, partitions: Iterable[Partition]) -> None:
        """Drop what is known of `partitions`, which are no longer held."""
        for partition in partitions:
            self._searches.pop(partition, None)

    def _unreadable(self, partition: Partition, item: Unreadable, search: _Search | None) -> Sequence[Record | Reached]:
        if search is None:
            # the end as of the fetch that returned the batch: a seek beyond it restarts at the first record
            _low, end = self._client.get_watermark_offsets(TopicPartition(*partition), cached=True)
            first = max(item.offset, self._expected(partition))
            search = self._searches[partition] = _Search(item, first=first, end=end)
        elif item.offset == search.base:
            search.bad = search.probe
            search.step *= 2
        else:  # the probe is in another unreadable batch
            search.good = search.probe
        if search.ended:
            return self._finish(partition, search, seek=True)
        self._seek(partition, search.next_probe())
        return ()

    def _readable(self, partition: Partition, item: Record | Reached, search: _Search) -> Sequence[Record | Reached]:
        search.good = search.probe
        if search.ended:
            return (*self._finish(partition, search, seek=False), item)
        self._seek(partition, search.next_probe())
        return ()

    def _finish(self, partition: Partition, search: _Search, *, seek: bool) -> tuple[Record]:
        topic, number = partition
        del self._searches[partition]
        if seek:
            self._seek(partition, search.good)
        offsets = f"offset {search.first}" if search.bad == search.first else f"offsets {search.first} to {search.bad}"
        reason = f"the client can't read the batch of {offsets}: {search.reason}"
        logger.warning("%s[%d]: %s; it becomes a dead letter", topic, number, reason)
        return (Record(Origin(topic, number, search.first), None, None, -1, (), Damage("record", reason, search.bad)),)

    def _seek(self, partition: Partition, offset: int) -> None:
        try:
            self._client.seek(TopicPartition(*partition, offset))
        except KafkaException as error:  # the client will report the batch again
            self._searches.pop(partition, None)
            logger.warning("%s[%d]: can't seek to offset %d: %s", *partition, offset, error)
