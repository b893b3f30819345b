"""A member of a consumer group whose positions are kept elsewhere: the group only shares the partitions.

Its commits only show its progress: it never starts from them. It uses the eager protocol, in which a rebalance takes
all partitions away and the caller may begin at any time later.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from connectors.kafka.bounded import ends_within
from connectors.kafka.clients import open_client
from connectors.kafka.faults import ClientErrors, denied, translate
from connectors.kafka.history import CommitNote
from connectors.kafka.messages import Reached, item_of, partition_of
from connectors.kafka.options import consumer_options
from connectors.kafka.skipping import BatchSkipper
from core.errors import TransientError
from core.records import Record
from core.settings import KafkaSettings

logger: Final = logging.getLogger("ticketstream.consumer")

_MAX_RECORDS: Final = 1_000
#: Maximum bytes of a poll's records, without the last one.
_MAX_BYTES: Final = 4 * 1024 * 1024
_ANSWER_S: Final = 5.0


class Member(Protocol):
    """Callbacks for assigned and revoked partitions, inside `PositionedConsumer.poll`."""

    def assigned(self, partitions: Sequence[int]) -> None:
        """These partitions, and no others, are ours. Nothing is read until `begin`."""
        ...

    def revoked(self) -> None:
        """No partition is ours."""
        ...


class PositionedConsumer:
    """Reads records from positions that its caller gives. Not thread-safe."""

    def __init__(self, client: Consumer, *, topic: str, topic_id: str | None, errors: ClientErrors) -> None:
        """Read `topic` with `client`; see `open_positioned`. `topic_id` is noted in each commit."""
        self._client = client
        self._topic = topic
        self._note = CommitNote(topic_id).text()
        self._errors = errors
        self._positions: dict[int, int] = {}
        self._skipper = BatchSkipper(client, expected=lambda partition: self._positions.get(partition[1], 0))

    def join(self, member: Member) -> None:
        """Ask for partitions; polls join the group."""

        def assign(client: Consumer, partitions: list[TopicPartition]) -> None:
            client.assign([])
            member.assigned([one.partition for one in partitions])

        def revoke(client: Consumer, _partitions: list[TopicPartition]) -> None:
            self._forget()
            client.unassign()
            member.revoked()

        self._client.subscribe([self._topic], on_assign=assign, on_revoke=revoke, on_lost=revoke)

    def begin(self, positions: Mapping[int, int]) -> None:
        """Read these partitions from these offsets on, and no others."""
        self._forget()
        self._positions = dict(positions)
        begin = [TopicPartition(self._topic, partition, offset) for partition, offset in positions.items()]
        self._client.assign(begin)
        self._client.resume(begin)  # a partition that was paused when it was lost would stay so

    def pause(self, *, paused: bool) -> None:
        """Pause or resume what is read. A few records may still come."""
        (self._client.pause if paused else self._client.resume)(self._client.assignment())

    def poll(self, timeout_s: float) -> Sequence[Record | Reached]:
        """Wait for a first record, and take what else has arrived.

        Raises:
            FatalError: the broker refuses, or the topic has vanished.
        """
        found: list[Record | Reached] = []
        size = 0
        try:
            messages = self._client.consume(1, timeout_s)
            while messages:
                for message in messages:
                    item = item_of(message)
                    if isinstance(item, KafkaError):
                        _note(item)
                    elif partition_of(item)[1] in self._positions:
                        found += self._skipper.read(item)
                size += sum(item.size for item in found[-1:] if isinstance(item, Record))
                if len(found) >= _MAX_RECORDS or size >= _MAX_BYTES:
                    break
                messages = self._client.consume(1, 0)
        except KafkaException as error:
            raise translate(error.args[0], "consuming") from None
        if self._errors.denial is not None:
            raise translate(self._errors.denial, "consuming")
        # A rebalance inside this very poll may have taken a partition away.
        return [item for item in found if partition_of(item)[1] in self._positions]

    def log_start(self, partition: int) -> int:
        """First offset of a partition, asked of its leader.

        Raises:
            TransientError: it doesn't answer.
        """
        try:
            found = self._client.get_watermark_offsets(TopicPartition(self._topic, partition), timeout=_ANSWER_S)
        except KafkaException as error:
            raise translate(error.args[0], "reading the log's first offset") from None
        if found is None:
            raise TransientError("reading the log's first offset: no answer in time")
        return int(found[0])

    def bounds(self, partition: int) -> tuple[int, int]:
        """First and end offset of a partition, as of the client's last fetch."""
        start, end = self._client.get_watermark_offsets(TopicPartition(self._topic, partition), cached=True)
        return max(0, start), max(0, end)

    def commit(self, positions: Mapping[int, int], *, wait: bool = False) -> None:
        """Commit; with `wait`, for some seconds. A failure is only logged, as nothing starts from them."""
        offsets = [TopicPartition(self._topic, partition, at, self._note) for partition, at in positions.items()]
        try:
            if not wait:
                self._client.commit(offsets=offsets, asynchronous=True)
            elif offsets:
                ends_within(_ANSWER_S, lambda: self._client.commit(offsets=offsets, asynchronous=False))
        except KafkaException as error:
            logger.warning("the position isn't committed: %s", error.args[0].str())

    def close(self) -> None:
        """Leave the group, and wait briefly for the broker."""
        self._forget()
        if not ends_within(_ANSWER_S, self._client.close):
            logger.warning("the broker doesn't answer: ending without leaving the group")

    def _forget(self) -> None:
        self._skipper.forget((self._topic, partition) for partition in self._positions)
        self._positions = {}


def open_positioned(settings: KafkaSettings, topic: str, *, group: str, topic_id: str | None) -> PositionedConsumer:
    """Open a client, which connects in the background and joins the group as it is polled.

    Raises:
        ConfigError: settings contradict each other, or the client rejects them.
    """
    eager = {"group": group, "group_protocol": "classic", "assignment_strategy": "range"}
    errors = ClientErrors()
    options = consumer_options(settings.model_copy(update=eager)) | {"error_cb": errors.add}
    return PositionedConsumer(open_client(Consumer, options), topic=topic, topic_id=topic_id, errors=errors)


def _note(error: KafkaError) -> None:
    if error.fatal() or denied(error) or error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
        raise translate(error, "consuming")
    logger.warning("consuming: %s", error.str())  # librdkafka retries by itself
