"""A member of a consumer group that commits an offset only after its ack.

Everything runs on the polling thread, rebalance and commit callbacks included (librdkafka calls them inside `consume`
and `close`), or on a thread that the polling thread joins. Only `ack` may be called from elsewhere.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message

from connectors.kafka.assignment import Assignment, ConsumerObserver
from connectors.kafka.bounded import ends_within
from connectors.kafka.clients import open_client
from connectors.kafka.commits import Committer
from connectors.kafka.faults import ClientErrors, denied, translate
from connectors.kafka.history import GroupHistory
from connectors.kafka.messages import Item, Reached, item_of, partition_of
from connectors.kafka.options import Options, consumer_options
from connectors.kafka.skipping import BatchSkipper
from connectors.kafka.watch import TopicWatch
from core.errors import FatalError
from core.failpoints import failpoint
from core.records import Batch, Receipt, Record
from core.settings import KafkaSettings, WriterSettings
from delivery.credits import Credits
from delivery.offsets import OffsetTracker

logger: Final = logging.getLogger("ticketstream.consumer")

#: A batch's items, each with the generation of its partition when it was read.
_Read = tuple[Record | Reached, int]

#: Maximum wait of a poll for credits, so that the caller's loop keeps running.
_ROOM_WAIT_S: Final = 0.02
#: Pause after there were no credits for this long. Pausing at once would discard the prefetched records whenever the
#: writer stalls briefly.
_FULL_PAUSE_S: Final = 1.0
#: A batch of long records ends here. One record may be longer, so this is a limit on all but the last.
_MAX_BATCH_BYTES: Final = 4 * 1024 * 1024
#: Timeout of the last commit and of leaving the group together: a broker silent for so long is unreachable.
_ANSWER_S: Final = 5.0
#: Share of that timeout for which a refused commit is retried. A rebalance delays the refusal until it is over, so the
#: next attempt, and leaving the group, are answered at once.
_RETRY_SHARE: Final = 0.8


class GroupConsumer:
    """Reads batches, takes their acks, commits."""

    def __init__(
        self,
        client: Consumer,
        *,
        assignment: Assignment,
        tracker: OffsetTracker,
        committer: Committer,
        skipper: BatchSkipper,
        history: GroupHistory,
        errors: ClientErrors,
        limits: WriterSettings,
        credits_: Credits,
        observer: ConsumerObserver,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """The callbacks of `client` must be those of `assignment`, `committer` and `errors`; see `open_consumer`."""
        self._client = client
        self._assignment = assignment
        self._tracker = tracker
        self._committer = committer
        self._skipper = skipper
        self._history = history
        self._errors = errors
        self._limits = limits
        self._credits = credits_
        self._observer = observer
        self._clock = clock
        self._carried: list[_Read] = []
        self._full_since: float | None = None
        self._drain_deadline: float | None = None
        self._closed = False
        self._hangs = False

    @property
    def finished(self) -> bool:
        """Whether it is drained and closed; further polls return None."""
        return self._closed

    @property
    def hangs(self) -> bool:
        """Whether closing timed out: the client can't be freed, and the end of the process must not wait for it."""
        return self._hangs

    def poll(self) -> Batch[Record] | None:
        """The next batch, or None if there is none yet, there are no credits for one, or the consumer has finished.

        Raises:
            FatalError: the broker refuses, or the topic has vanished.
        """
        if self._closed:
            return None
        self._observer.polled()
        if self._committer.due():
            self._history.check(self._client)
            self._committer.commit_soon(self._client)
            self._assignment.report_lag()
        if self._drain_deadline is not None:
            self._drain(self._drain_deadline)
            return None
        room = self._credits.wait_for_room(_ROOM_WAIT_S)
        if room == 0:
            self._keep_alive_while_full()
            return None
        self._full_since = None
        self._assignment.pause(paused=False)
        items = self._fetch(min(room, self._limits.max_batch_records))
        records = tuple(item for item in items if isinstance(item, Record))
        try:
            receipt = self._tracker.deliver(records)
        except FatalError:
            self._history.check_now()  # a repeated offset may belong to a recreated topic
            raise
        # after the records, so that everything before the end of a partition has been delivered
        for item in items:
            if isinstance(item, Reached):
                self._tracker.reached(item.partition, item.offset)
        self._history.explain(self._client, self._tracker.gaps())
        if not records:
            return None
        self._credits.take(receipt.records, receipt.bytes)
        failpoint("after_fetch")
        return Batch(records, receipt)

    def ack(self, receipt: Receipt) -> None:
        """Acknowledge a batch whose whole effect is durable. Thread-safe."""
        self._tracker.ack(receipt)
        self._credits.give_back(receipt.records, receipt.bytes)

    def stop(self, since: float | None = None) -> None:
        """Read no more: further polls drain, commit and leave the group. Idempotent.

        The drain timeout starts at `since`, on the consumer's clock, when the stop was requested; by default now.
        """
        if self._drain_deadline is None:
            self._drain_deadline = (self._clock() if since is None else since) + self._limits.drain_timeout_s
            self._assignment.limit_waits(self._drain_deadline)

    def close(self) -> None:
        """Commit what is acked and leave the group, without waiting for work in flight, and briefly for the broker."""
        if self._closed:
            return
        self._closed = True
        self._assignment.limit_waits(self._clock())
        self._hangs = not ends_within(_ANSWER_S, self._leave)
        if self._hangs:
            logger.warning(
                "the broker doesn't answer: stopping without leaving the group; uncommitted records will be read again"
            )
        else:
            logger.info("left the group")

    def _leave(self) -> None:
        if self._history.ended:
            self._committer.commit_beginning(self._client)
        else:
            self._committer.commit_now(self._client, retry_s=_ANSWER_S * _RETRY_SHARE)
        self._client.close()

    def _fetch(self, count: int) -> list[Record | Reached]:
        carried, self._carried = self._carried, []
        wanted = count - len(carried)
        read = self._consume(wanted, self._limits.max_batch_delay_ms / 1000) if wanted > 0 else []
        # A rebalance inside this very call may have taken the partition away.
        return [item for item, generation in (*carried, *read) if self._generation(item) == generation]

    def _consume(self, count: int, timeout_s: float) -> list[_Read]:
        """Wait for one message, then take what else has arrived.

        So an idle stream passes each record on at once, and a backlog fills the batch. Messages are taken one by one,
        because their size is known only after the client has copied them.
        """
        found: list[_Read] = []
        size = 0
        try:
            messages = self._client.consume(1, timeout_s)
            while messages:
                taken = self._taken(messages)
                found += taken
                size += sum(item.size for item, _generation in taken if isinstance(item, Record))
                if len(found) >= count or size >= _MAX_BATCH_BYTES:
                    break
                messages = self._client.consume(1, 0)
        except KafkaException as error:
            raise translate(error.args[0], "consuming") from None
        if self._errors.denial is not None:
            raise translate(self._errors.denial, "consuming")
        return found

    def _taken(self, messages: Sequence[Message]) -> list[_Read]:
        """The items read, with the present generation of their partitions; partitions no longer held are left out."""
        found: list[_Read] = []
        for message in messages:
            item = item_of(message)
            if isinstance(item, KafkaError):
                _note(item)
                continue
            generation = self._generation(item)
            if generation is not None:
                found += ((read, generation) for read in self._skipper.read(item))
        return found

    def _generation(self, item: Item) -> int | None:
        return self._tracker.generation(partition_of(item))

    def _keep_alive_while_full(self) -> None:
        now = self._clock()
        self._full_since = self._full_since or now
        if now - self._full_since > _FULL_PAUSE_S:
            self._assignment.pause(paused=True)
            # Polling keeps us in the group. A record that it still returns is kept for the next batch: if it were
            # dropped, a later commit would skip it.
            self._carried += self._consume(1, 0.01)

    def _drain(self, deadline: float) -> None:
        self._assignment.pause(paused=True)
        late = self._clock() > deadline
        if late:
            logger.warning("stopping with work in flight; it will be read again")
        if late or self._tracker.drained():
            self.close()
        else:
            self._consume(1, 0.01)  # not delivered, so not committed: the next owner reads it


def open_consumer(
    *,
    topic: str,
    kafka: KafkaSettings,
    limits: WriterSettings,
    credits_: Credits,
    observer: ConsumerObserver,
    watch: TopicWatch | None = None,
    tracker: OffsetTracker | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> GroupConsumer:
    """Open a client that subscribes to `topic`; it connects in the background, and joins the group as it is polled.

    With `watch`, it notices that the group's offsets belong to another topic. `tracker` decides which positions may be
    committed; by default all acked ones.

    Raises:
        ConfigError: settings contradict each other, or the client rejects them.
    """
    tracker, errors = tracker or OffsetTracker(), ClientErrors()
    history = GroupHistory(watch, observer=observer)
    committer = Committer(tracker, history=history, interval_s=kafka.commit_interval_s, clock=clock)
    callbacks: Options = {"on_commit": committer.on_commit, "error_cb": errors.add}
    client = open_client(Consumer, consumer_options(kafka) | callbacks)
    skipper = BatchSkipper(client, expected=tracker.expected)
    assignment = Assignment(
        client,
        tracker=tracker,
        committer=committer,
        skipper=skipper,
        history=history,
        observer=observer,
        incremental=kafka.group_protocol == "consumer" or kafka.assignment_strategy == "cooperative-sticky",
        drain_timeout_s=limits.drain_timeout_s,
        clock=clock,
    )
    assignment.subscribe(topic)
    return GroupConsumer(
        client,
        assignment=assignment,
        tracker=tracker,
        committer=committer,
        skipper=skipper,
        history=history,
        errors=errors,
        limits=limits,
        credits_=credits_,
        observer=observer,
        clock=clock,
    )


def _note(error: KafkaError) -> None:
    if error.fatal() or denied(error) or error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
        raise translate(error, "consuming")
    logger.warning("consuming: %s", error.str())  # librdkafka retries by itself
