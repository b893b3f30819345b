"""Committing: when the watermarks moved, and once more before a partition is given away."""

import logging
from collections.abc import Callable
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from connectors.kafka.messages import offsets_of
from core.failpoints import failpoint
from delivery.offsets import OffsetTracker
from delivery.offsets import TopicPartition as Partition

logger: Final = logging.getLogger("ticketstream.consumer")


class Committer:
    """Commits what the tracker allows. On the polling thread, or on one that it waits for."""

    def __init__(self, tracker: OffsetTracker, *, interval_s: float, clock: Callable[[], float]) -> None:
        self._tracker = tracker
        self._interval_s = interval_s
        self._clock = clock
        self._next = 0.0

    def due(self) -> bool:
        """True once per interval."""
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + self._interval_s
        return True

    def commit_soon(self, consumer: Consumer) -> None:
        """Send the moved watermarks; `on_commit` hears of the outcome, and what failed is sent again."""
        offsets = offsets_of(self._tracker.committable())
        if offsets:
            failpoint("before_commit")
            try:
                consumer.commit(offsets=offsets, asynchronous=True)
            except KafkaException as error:
                logger.warning("committing: %s; tried again", error)

    def commit_now(self, consumer: Consumer, partitions: set[Partition] | None = None) -> None:
        """Commit the moved watermarks of `partitions`, or of all, and wait for the broker."""
        offsets = offsets_of(self._tracker.committable(partitions))
        if not offsets:
            return
        failpoint("before_commit")
        try:
            confirmed = consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            # The next owner reads these records again: duplicates, never losses.
            logger.warning("last commit failed: %s", error)
        else:
            self._confirm(confirmed or [])

    def on_commit(self, error: KafkaError | None, offsets: list[TopicPartition]) -> None:
        """What the client calls with the outcome of `commit_soon`."""
        if error is not None:
            logger.warning("commit refused: %s; tried again", error.str())
        else:
            self._confirm(offsets)

    def _confirm(self, offsets: list[TopicPartition]) -> None:
        self._tracker.committed(
            ((o.topic, o.partition), o.offset) for o in offsets if o.error is None and o.offset >= 0
        )
