"""A member of a consumer group that commits an offset only after its ack.

Everything here runs on the thread that polls, rebalance and commit callbacks included (librdkafka serves them
inside `consume` and `close`), or on one that it waits for; only `ack` may be called from elsewhere.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from connectors.kafka.bounded import ends_within
from connectors.kafka.clients import open_client
from connectors.kafka.commits import Committer
from connectors.kafka.faults import refused, translate
from connectors.kafka.messages import partitions_of, record_of
from connectors.kafka.options import consumer_options
from core.failpoints import failpoint
from core.records import Batch, Receipt, Record
from core.settings import KafkaSettings, WriterSettings
from delivery.credits import Credits
from delivery.offsets import OffsetTracker

logger: Final = logging.getLogger("ticketstream.consumer")

#: How long a poll waits for room before it returns empty-handed, so that the caller's loop keeps turning. Room that
#: comes ends the wait at once.
_ROOM_WAIT_S: Final = 0.02
#: Full for longer than this: pause. Pausing at once would purge the prefetch at every short pause of the writer.
_FULL_PAUSE_S: Final = 1.0
#: What is in flight then is done, or the index is out and waiting longer wouldn't help.
_REVOKE_WAIT_S: Final = 10.0
#: For the last commit and the farewell together: a broker that says nothing for so long says nothing at all.
_ANSWER_S: Final = 5.0
#: How much of it a commit that is refused may take. A rebalance holds its answer up, and has ended when that comes: the
#: next try is answered at once, and so is the farewell.
_INSIST: Final = 0.8


class ConsumerObserver:
    """What a consumer tells about itself; override what you want to know."""

    def polled(self) -> None:
        """A poll has begun: the thread is alive."""

    def rebalanced(self, event: str, assigned: int) -> None:
        """`event` is assign, revoke or lost; `assigned` counts the partitions held after it."""

    def lag(self, topic: str, partition: int, records: int | None) -> None:
        """Records between the committed offset and the end; None when the partition is no longer ours."""


class GroupConsumer:
    """Reads batches, takes their acks, commits."""

    def __init__(
        self,
        *,
        topic: str,
        kafka: KafkaSettings,
        limits: WriterSettings,
        credits_: Credits,
        observer: ConsumerObserver,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._credits = credits_
        self._observer = observer
        self._clock = clock
        self._tracker = OffsetTracker()
        self._committer = Committer(self._tracker, interval_s=kafka.commit_interval_s, clock=clock)
        self._carried: list[tuple[Record, int]] = []
        self._paused = False
        self._full_since: float | None = None
        self._drain_deadline: float | None = None
        self._closed = False
        self._hangs = False
        self._incremental = kafka.group_protocol == "consumer" or kafka.assignment_strategy == "cooperative-sticky"
        self._refusal: KafkaError | None = None
        options: dict[str, Any] = {
            **consumer_options(kafka),
            "on_commit": self._committer.on_commit,
            "error_cb": self._on_error,
        }
        self._consumer = open_client(Consumer, options)
        self._consumer.subscribe([topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost)

    @property
    def finished(self) -> bool:
        """Drained and closed: no poll will return anything any more."""
        return self._closed

    @property
    def hangs(self) -> bool:
        """Closed while the broker gave no answer: the client can't be released, the process's end must not wait."""
        return self._hangs

    def poll(self) -> Batch[Record] | None:
        """The next batch, or None when there is none yet, no room for one, or the consumer has finished.

        Raises:
            FatalError: the broker refuses, or the topic has vanished.
        """
        if self._closed:
            return None
        self._observer.polled()
        if self._committer.due():
            self._committer.commit_soon(self._consumer)
            self._tell_lag()
        if self._drain_deadline is not None:
            self._drain(self._drain_deadline)
            return None
        room = self._credits.wait_for_room(_ROOM_WAIT_S)
        if room == 0:
            self._keep_alive_while_full()
            return None
        self._full_since = None
        self._pause(paused=False)
        records = self._fetch(min(room, self._limits.max_batch_records))
        if not records:
            return None
        receipt = self._tracker.deliver(records)
        self._credits.take(receipt.records, receipt.bytes)
        failpoint("after_fetch")
        return Batch(tuple(records), receipt)

    def ack(self, receipt: Receipt) -> None:
        """Everything of the batch is durable. From any thread."""
        self._tracker.ack(receipt)
        self._credits.give_back(receipt.records, receipt.bytes)

    def stop(self, since: float | None = None) -> None:
        """Read no more; further polls drain, commit and leave the group. Again changes nothing.

        The drain's time counts from `since`, on the consumer's clock, when it was asked for; by default from now.
        """
        if self._drain_deadline is None:
            self._drain_deadline = (self._clock() if since is None else since) + self._limits.drain_timeout_s

    def close(self) -> None:
        """Commit what is acked and leave the group, without waiting for the rest, nor long for the broker."""
        if self._closed:
            return
        self._closed = True
        self._hangs = not ends_within(_ANSWER_S, self._leave)
        if self._hangs:
            logger.warning("the broker doesn't answer: left without a farewell; the uncommitted will be read again")
        else:
            logger.info("left the group")

    def _leave(self) -> None:
        self._committer.commit_now(self._consumer, insist_s=_ANSWER_S * _INSIST)
        self._consumer.close()

    # --- reading

    def _fetch(self, count: int) -> list[Record]:
        carried, self._carried = self._carried, []
        wanted = count - len(carried)
        messages = self._consume(wanted, self._limits.max_batch_delay_ms / 1000) if wanted > 0 else []
        now = self._tracker.generations()
        return [
            record
            for record, generation in (*carried, *messages)
            # A rebalance inside this very call may have taken the partition away.
            if now.get((record.origin.topic, record.origin.partition)) == generation
        ]

    def _consume(self, count: int, timeout_s: float) -> list[tuple[Record, int]]:
        try:
            # The first one is waited for; with it comes what has arrived meanwhile. So an idle stream passes its
            # records on singly and at once, and a backlog fills the batch.
            found = self._taken(self._consumer.consume(1, timeout_s))
            if found and count > 1:
                found += self._taken(self._consumer.consume(count - 1, 0))
        except KafkaException as error:
            raise translate(error.args[0], "consuming") from None
        if self._refusal is not None:
            raise translate(self._refusal, "consuming")
        return found

    def _taken(self, messages: Sequence[Message]) -> list[tuple[Record, int]]:
        """Records with the generation of their partition at this moment; those of partitions gone are left out."""
        found, now = [], self._tracker.generations()
        for message in messages:
            fault = message.error()
            if fault is not None:
                _note(fault)
                continue
            record = record_of(message)
            generation = now.get((record.origin.topic, record.origin.partition))
            if generation is not None:
                found.append((record, generation))
        return found

    def _on_error(self, error: KafkaError) -> None:
        if refused(error):
            self._refusal = error

    def _keep_alive_while_full(self) -> None:
        now = self._clock()
        self._full_since = self._full_since or now
        if now - self._full_since > _FULL_PAUSE_S:
            self._pause(paused=True)
            # Keeps us in the group. What it still returns is carried: dropped, the watermark would skip it.
            self._carried += self._consume(1, 0.01)

    def _pause(self, *, paused: bool) -> None:
        if paused != self._paused:
            assignment = self._consumer.assignment()
            (self._consumer.pause if paused else self._consumer.resume)(assignment)
            self._paused = paused

    def _drain(self, deadline: float) -> None:
        self._pause(paused=True)
        late = self._clock() > deadline
        if late:
            logger.warning("stopping with work in flight; it will be read again")
        if late or self._tracker.drained():
            self.close()
        else:
            self._consume(1, 0.01)  # not delivered, so not committed: the next owner reads it

    def _tell_lag(self) -> None:
        for (topic, partition), offset in self._tracker.reached().items():
            if offset is not None:
                _low, end = self._consumer.get_watermark_offsets(TopicPartition(topic, partition), cached=True)
                self._observer.lag(topic, partition, max(0, end - offset))

    # --- rebalancing: inside consume() and close()

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._tracker.assign(partitions_of(partitions))
        if self._incremental:
            consumer.incremental_assign(partitions)
        else:
            consumer.assign(partitions)
        if partitions:
            # The client remembers a pause over the loss of a partition: one that comes back would stay paused for ever.
            (consumer.pause if self._paused else consumer.resume)(partitions)
        self._tell("assign", partitions)

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        revoked = partitions_of(partitions)
        if not self._closed:
            self._tracker.wait_drained(revoked, self._revoke_wait_s())
        self._committer.hand_over(consumer, revoked)
        self._drop(consumer, partitions)
        self._tell("revoke", partitions)

    def _revoke_wait_s(self) -> float:
        """How long work in flight may keep a partition: nobody polls meanwhile, and a drain's own time goes on."""
        wait_s = min(self._limits.drain_timeout_s / 2, _REVOKE_WAIT_S)
        return wait_s if self._drain_deadline is None else max(0.0, min(wait_s, self._drain_deadline - self._clock()))

    def _on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._drop(consumer, partitions)  # no commit: they are somebody else's already
        self._tell("lost", partitions)

    def _drop(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._tracker.remove(partitions_of(partitions))
        if self._incremental:
            consumer.incremental_unassign(partitions)
        else:
            consumer.unassign()
        for partition in partitions:
            self._observer.lag(partition.topic, partition.partition, None)

    def _tell(self, event: str, partitions: list[TopicPartition]) -> None:
        logger.info("%s %s", event, sorted(p.partition for p in partitions))
        self._observer.rebalanced(event, len(self._tracker.partitions))


def _note(error: KafkaError) -> None:
    if error.fatal() or refused(error) or error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
        raise translate(error, "consuming")
    logger.warning("consuming: %s", error.str())  # librdkafka retries by itself
