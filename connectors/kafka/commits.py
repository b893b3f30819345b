"""Committing: when the watermarks moved, and once more before a partition is given away.

A rebalance holds commits up. The coordinator answers a connection's requests one by one, and a JoinGroup only when
every other member has joined: a commit sent meanwhile waits behind it, and is then refused for its old generation.
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from connectors.kafka.messages import offsets_of
from core.failpoints import failpoint
from delivery.offsets import OffsetTracker
from delivery.offsets import TopicPartition as Partition

logger: Final = logging.getLogger("ticketstream.consumer")

#: Watermarks that didn't move are committed again so often, as a precaution: a commit of the last owner that was held
#: up, by a change of the coordinator say, could land late and put the offset back.
_REPEAT_S: Final = 5.0
#: Refused in the middle of a rebalance: the same commit is in order a moment later.
_LATER: Final = (KafkaError.ILLEGAL_GENERATION, KafkaError.REBALANCE_IN_PROGRESS, KafkaError.STALE_MEMBER_EPOCH)
_PAUSE_S: Final = 0.05


class Committer:
    """Commits what the tracker allows. On the polling thread, or on one that it waits for."""

    def __init__(self, tracker: OffsetTracker, *, interval_s: float, clock: Callable[[], float]) -> None:
        self._tracker = tracker
        self._interval_s = interval_s
        self._clock = clock
        self._next = 0.0
        self._repeat = 0.0
        self._under_way = 0

    def due(self) -> bool:
        """True once per interval."""
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + self._interval_s
        return True

    def commit_soon(self, consumer: Consumer) -> None:
        """Commit the watermarks that moved; `on_commit` hears of the outcome, and what failed is sent again.

        One at a time: what a rebalance holds up would be a queue of commits that are all refused, and a refusal that
        comes when the rebalance is over makes the client give up its partitions.
        """
        if self._under_way == 0:
            self._send(consumer, self._all_or_moved())

    def hand_over(self, consumer: Consumer, partitions: set[Partition]) -> None:
        """Commit `partitions` before they are given away: inside the callback of a revocation.

        It isn't waited for: the client joins again when its commits are answered, so the next owner reads what was
        committed here. Nor could it be within a time: the client lets no other thread in before `consume` ends.
        """
        self._send(consumer, self._tracker.committable(partitions))

    def commit_now(self, consumer: Consumer, *, insist_s: float) -> None:
        """Commit the watermarks that moved, and wait for the broker.

        What is refused because a rebalance is under way is tried again for `insist_s`.
        """
        until = time.monotonic() + insist_s
        while offsets := offsets_of(self._tracker.committable()):
            failpoint("before_commit")
            try:
                confirmed = consumer.commit(offsets=offsets, asynchronous=False)
            except KafkaException as error:
                if error.args[0].code() in _LATER and time.monotonic() < until:
                    time.sleep(_PAUSE_S)
                    continue
                # The next owner reads these records again: duplicates, never losses.
                logger.warning("last commit failed: %s", error)
                return
            self._confirm(confirmed or [])
            return

    def on_commit(self, error: KafkaError | None, offsets: list[TopicPartition]) -> None:
        """What the client calls with the outcome of a commit that wasn't waited for."""
        self._under_way = max(0, self._under_way - 1)
        if error is None:
            self._confirm(offsets)
        elif error.code() in _LATER:
            logger.info("commit held up by a rebalance; what is still ours is committed again")
        else:
            logger.warning("commit refused: %s; what is still ours is committed again", error.str())

    def _send(self, consumer: Consumer, watermarks: Mapping[Partition, int]) -> None:
        offsets = offsets_of(watermarks)
        if offsets:
            failpoint("before_commit")
            try:
                consumer.commit(offsets=offsets, asynchronous=True)
            except KafkaException as error:
                logger.warning("committing: %s; tried again", error)
            else:
                self._under_way += 1

    def _all_or_moved(self) -> Mapping[Partition, int]:
        now = self._clock()
        if now < self._repeat:
            return self._tracker.committable()
        self._repeat = now + _REPEAT_S
        return {partition: offset for partition, offset in self._tracker.watermarks().items() if offset is not None}

    def _confirm(self, offsets: list[TopicPartition]) -> None:
        self._tracker.committed(
            ((o.topic, o.partition), o.offset) for o in offsets if o.error is None and o.offset >= 0
        )
