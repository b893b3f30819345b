"""The partitions that a group member holds: accepted, paused and given up in the client's rebalance callbacks."""

import logging
import time
from collections.abc import Callable
from typing import Final

from confluent_kafka import Consumer, TopicPartition

from connectors.kafka.commits import Committer
from connectors.kafka.history import GroupHistory, HistoryObserver
from connectors.kafka.messages import partitions_of
from connectors.kafka.skipping import BatchSkipper
from delivery.offsets import OffsetTracker

logger: Final = logging.getLogger("ticketstream.consumer")

#: Maximum wait of a revocation for work in flight. If that takes longer, the index is probably down.
_REVOKE_WAIT_S: Final = 10.0


class ConsumerObserver(HistoryObserver):
    """Callbacks of a consumer; override the ones you need."""

    def polled(self) -> None:
        """A poll has begun: the thread is alive."""

    def rebalanced(self, event: str, assigned: int) -> None:
        """`event` is assign, revoke or lost; `assigned` counts the partitions held after it."""

    def lag(self, topic: str, partition: int, records: int | None) -> None:
        """Records between the first unfinished offset and the end; None when the partition is no longer ours."""


class Assignment:
    """Not thread-safe: everything runs on the polling thread."""

    def __init__(
        self,
        client: Consumer,
        *,
        tracker: OffsetTracker,
        committer: Committer,
        skipper: BatchSkipper,
        history: GroupHistory,
        observer: ConsumerObserver,
        incremental: bool,
        drain_timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Manage the assignment of `client`.

        Args:
            client: the group member.
            tracker: learns of assigned and removed partitions.
            committer: commits revoked partitions.
            skipper: learns of removed partitions.
            history: gives the offsets to start from, and learns of removed partitions.
            observer: gets rebalances and lag.
            incremental: a rebalance adds or removes some partitions, instead of replacing all of them.
            drain_timeout_s: a revocation waits for work in flight for at most half of it.
            clock: seconds, monotonic.
        """
        self._client = client
        self._tracker = tracker
        self._committer = committer
        self._skipper = skipper
        self._history = history
        self._observer = observer
        self._incremental = incremental
        self._revoke_wait_s = min(drain_timeout_s / 2, _REVOKE_WAIT_S)
        self._clock = clock
        self._paused = False
        self._deadline: float | None = None

    def subscribe(self, topic: str) -> None:
        """Ask for partitions of `topic`; polls join the group."""
        self._client.subscribe([topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost)

    def limit_waits(self, deadline: float) -> None:
        """Let no revocation wait for work in flight after `deadline`."""
        self._deadline = deadline

    def pause(self, *, paused: bool) -> None:
        """Pause or resume all partitions, those that are assigned later included."""
        if paused != self._paused:
            assignment = self._client.assignment()
            (self._client.pause if paused else self._client.resume)(assignment)
            self._paused = paused

    def report_lag(self) -> None:
        """Report the lag of each partition, as of the client's last fetch."""
        for (topic, partition), offset in self._tracker.first_unfinished().items():
            if offset is not None:
                _low, end = self._client.get_watermark_offsets(TopicPartition(topic, partition), cached=True)
                self._observer.lag(topic, partition, max(0, end - offset))

    def _on_assign(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        start, committed = self._history.resume(client, partitions)
        self._tracker.assign(partitions_of(partitions), committed=committed)
        if self._incremental:
            client.incremental_assign(start)
        else:
            client.assign(start)
        if partitions:
            # The client keeps a partition paused even after it was lost: reassigned, it would stay paused for ever.
            (client.pause if self._paused else client.resume)(partitions)
        self._report("assign", partitions)

    def _on_revoke(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        revoked = partitions_of(partitions)
        self._tracker.wait_drained(revoked, self._wait_s())
        self._committer.commit_revoked(client, revoked)
        self._remove(client, partitions)
        self._report("revoke", partitions)

    def _on_lost(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        self._remove(client, partitions)  # without a commit: another member owns them already
        self._report("lost", partitions)

    def _wait_s(self) -> float:
        """Maximum wait of a revocation for work in flight, during which nothing polls."""
        if self._deadline is None:
            return self._revoke_wait_s
        return max(0.0, min(self._revoke_wait_s, self._deadline - self._clock()))

    def _remove(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        self._tracker.remove(partitions_of(partitions))
        self._skipper.forget(partitions_of(partitions))
        self._history.forget(partitions_of(partitions))
        if self._incremental:
            client.incremental_unassign(partitions)
        else:
            client.unassign()
        for partition in partitions:
            self._observer.lag(partition.topic, partition.partition, None)

    def _report(self, event: str, partitions: list[TopicPartition]) -> None:
        logger.info("%s %s", event, sorted(p.partition for p in partitions))
        self._observer.rebalanced(event, len(self._tracker.partitions))
