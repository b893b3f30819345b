"""Commits offsets when their commit positions move, and once more before a partition is revoked.

A rebalance delays commits. The coordinator handles the requests of a connection in order, and answers a JoinGroup only
after every other member has joined: a commit sent meanwhile waits behind it, and is then refused for its old
generation.
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from connectors.kafka.history import GroupHistory
from connectors.kafka.messages import offsets_of
from core.failpoints import failpoint
from delivery.offsets import OffsetTracker
from delivery.offsets import TopicPartition as Partition

logger: Final = logging.getLogger("ticketstream.consumer")

#: Interval at which positions that didn't move are committed again: a delayed commit of the partition's last owner, for
#: example after a change of the coordinator, could arrive late and put the offset back.
_REPEAT_S: Final = 5.0
#: Errors during a rebalance; the same commit is accepted a moment later.
_REBALANCING: Final = (KafkaError.ILLEGAL_GENERATION, KafkaError.REBALANCE_IN_PROGRESS, KafkaError.STALE_MEMBER_EPOCH)
_PAUSE_S: Final = 0.05


class Committer:
    """Commits the tracker's positions. Called on the polling thread, or on one that the polling thread joins."""

    def __init__(
        self, tracker: OffsetTracker, *, history: GroupHistory, interval_s: float, clock: Callable[[], float]
    ) -> None:
        self._tracker = tracker
        self._history = history
        self._interval_s = interval_s
        self._clock = clock
        self._next = 0.0
        self._repeat = 0.0
        self._in_flight = 0

    def due(self) -> bool:
        """True once per interval."""
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + self._interval_s
        return True

    def commit_soon(self, client: Consumer) -> None:
        """Commit the positions that moved, unless a commit is in flight. `on_commit` receives the outcome.

        At most one is in flight. Commits queued during a rebalance would all be refused, and a refusal that arrives
        after it makes the client give up its partitions.
        """
        if self._in_flight == 0:
            self._send(client, self._moved_or_all())

    def commit_revoked(self, client: Consumer, partitions: set[Partition]) -> None:
        """Commit `partitions` inside the callback of their revocation, without waiting.

        The client rejoins only when its commits are answered, so the next owner reads this offset. Waiting with a
        timeout is impossible here: the client lets no other thread in before `consume` returns.
        """
        self._send(client, self._tracker.committable(partitions))

    def commit_now(self, client: Consumer, *, retry_s: float) -> None:
        """Commit the positions that moved, and wait for the broker; retry for `retry_s` during a rebalance."""
        until = time.monotonic() + retry_s
        while offsets := self._offsets(self._tracker.committable()):
            failpoint("before_commit")
            try:
                confirmed = client.commit(offsets=offsets, asynchronous=False)
            except KafkaException as error:
                if error.args[0].code() in _REBALANCING and time.monotonic() < until:
                    time.sleep(_PAUSE_S)
                    continue
                # The next owner reads these records again: duplicates, never losses.
                logger.warning("last commit failed: %s", error)
                return
            self._confirm(confirmed or [])
            return

    def commit_beginning(self, client: Consumer) -> None:
        """Commit offset 0 of every partition held, because the committed offsets belong to a deleted topic.

        The commits' metadata would show that, but not every broker keeps it.
        """
        begin = [TopicPartition(*partition, 0) for partition in self._tracker.partitions]
        try:
            client.commit(offsets=begin, asynchronous=False)
        except KafkaException as error:
            logger.warning("the group's offsets can't be reset: %s", error)

    def on_commit(self, error: KafkaError | None, offsets: list[TopicPartition]) -> None:
        """Callback of the client for the outcome of an asynchronous commit."""
        self._in_flight = max(0, self._in_flight - 1)
        if error is None:
            self._confirm(offsets)
        elif error.code() in _REBALANCING:
            logger.info("commit refused during a rebalance; partitions that we keep are committed again")
        else:
            logger.warning("commit refused: %s; partitions that we keep are committed again", error.str())

    def _send(self, client: Consumer, positions: Mapping[Partition, int]) -> None:
        offsets = self._offsets(positions)
        if offsets:
            failpoint("before_commit")
            try:
                client.commit(offsets=offsets, asynchronous=True)
            except KafkaException as error:
                logger.warning("commit failed: %s; it will be retried", error)
            else:
                self._in_flight += 1

    def _offsets(self, positions: Mapping[Partition, int]) -> list[TopicPartition]:
        known = {partition: offset for partition, offset in positions.items() if self._history.may_commit(partition)}
        return offsets_of(known, self._history.note)

    def _moved_or_all(self) -> Mapping[Partition, int]:
        now = self._clock()
        if now < self._repeat:
            return self._tracker.committable()
        self._repeat = now + _REPEAT_S
        positions = self._tracker.commit_positions()
        return {partition: offset for partition, offset in positions.items() if offset is not None}

    def _confirm(self, offsets: list[TopicPartition]) -> None:
        self._tracker.committed(
            ((o.topic, o.partition), o.offset) for o in offsets if o.error is None and o.offset >= 0
        )
