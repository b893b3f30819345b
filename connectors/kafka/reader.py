"""Reading a topic from start to end, outside any group."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from connectors.kafka.clients import open_client
from connectors.kafka.faults import translate
from connectors.kafka.messages import record_of
from connectors.kafka.options import client_options
from core.errors import UnavailableError
from core.records import Origin, Record
from core.settings import KafkaSettings

#: A batch that is not full is waited for so long, the last one of every partition too.
_POLL_S: Final = 0.05
_BATCH: Final = 500
#: How long a broker holds a fetch that finds nothing; each partition's end is such a fetch.
_HELD_MS: Final = 50
_LEADER_S: Final = 2.0


def read_topic(
    settings: KafkaSettings, topic: str, *, partitions: int, start: Mapping[int, int] | None = None
) -> Iterator[Record]:
    """Every record of `topic` up to each partition's end as the fetches report it, partitions interleaved.

    Args:
        settings: of the broker.
        topic: what to read.
        partitions: how many it has.
        start: first offset by partition; the partition's first record where it names none.

    Raises:
        UnavailableError: the broker stops answering.
    """
    begin = start or {}
    with _reader(settings) as consumer:
        # A partition whose leader isn't known yet asks for its first offset again only after half a second.
        with suppress(KafkaException):  # nobody answers: the reading says so
            consumer.list_topics(topic, timeout=min(_LEADER_S, settings.startup_timeout_s))
        consumer.assign([TopicPartition(topic, n, begin.get(n, OFFSET_BEGINNING)) for n in range(partitions)])
        yield from _until_end(settings, consumer, open_partitions=set(range(partitions)))


def read_one(settings: KafkaSettings, origin: Origin) -> Record | None:
    """The record at `origin`, or None when there is none (any more).

    Raises:
        UnavailableError: the broker stops answering.
    """
    with _reader(settings) as consumer:
        consumer.assign([TopicPartition(origin.topic, origin.partition, origin.offset)])
        for message in consumer.consume(1, settings.startup_timeout_s / 2):
            if message.error() is None:
                record = record_of(message)
                return record if record.origin == origin else None
    return None


def _until_end(settings: KafkaSettings, consumer: Consumer, *, open_partitions: set[int]) -> Iterator[Record]:
    silent_s = 0.0
    while open_partitions:
        messages = consumer.consume(_BATCH, _POLL_S)
        silent_s = 0.0 if messages else silent_s + _POLL_S
        if silent_s > settings.startup_timeout_s:
            raise UnavailableError(f"no broker answers at {settings.brokers}; set TICKETS_KAFKA__BROKERS, or start one")
        for message in messages:
            error = message.error()
            if error is None:
                yield record_of(message)
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's local codes begin so
                open_partitions.discard(message.partition() or 0)
            elif not error.retriable():
                raise translate(error, "reading")


def _reader(settings: KafkaSettings) -> Consumer:
    options: dict[str, Any] = client_options(settings) | {
        # The client wants a group and asks who coordinates it, though nothing is committed under it: a name that the
        # operator's right to the worker's group, given by its beginning, covers.
        "group.id": f"{settings.group}-reader",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
        "fetch.wait.max.ms": _HELD_MS,
    }
    return open_client(Consumer, options)
