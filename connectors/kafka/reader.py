"""Reads a topic from start to end, outside any group."""

import time
from collections.abc import Iterator, Mapping
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from connectors.kafka.clients import open_client
from connectors.kafka.faults import denied, translate
from connectors.kafka.messages import record_of
from connectors.kafka.options import Options, client_options
from core.errors import UnavailableError
from core.records import Origin, Record
from core.settings import KafkaSettings

#: Maximum wait for a batch to fill, the last one of each partition included.
_POLL_S: Final = 0.05
_BATCH: Final = 500
#: How long the broker holds an empty fetch; the end of each partition costs one.
_HELD_MS: Final = 50


def read_topic(
    settings: KafkaSettings, topic: str, *, partitions: int, start: Mapping[int, int] | None = None
) -> Iterator[Record]:
    """Yield every record of `topic`, at least up to the present end offsets, with partitions interleaved.

    Args:
        settings: of the broker.
        topic: what to read.
        partitions: how many it has.
        start: start offset by partition; the default is the partition's first record.

    Raises:
        UnavailableError: the broker stops answering.
    """
    begin = start or {}
    with _reader(settings) as consumer:
        bounds = {n: _bounds(settings, consumer, TopicPartition(topic, n)) for n in range(partitions)}
        consumer.assign([TopicPartition(topic, n, begin.get(n, first)) for n, (first, _end) in bounds.items()])
        yield from _until_end(settings, consumer, {n: end for n, (_first, end) in bounds.items()})


def read_one(settings: KafkaSettings, origin: Origin) -> Record | None:
    """The record at `origin`, or None if it doesn't exist or has expired.

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


def _bounds(settings: KafkaSettings, consumer: Consumer, partition: TopicPartition) -> tuple[int, int]:
    """First and end offset, from the partition's leader; retried while there is none, as in an election."""
    deadline = time.monotonic() + settings.startup_timeout_s
    while time.monotonic() < deadline:
        try:
            found = consumer.get_watermark_offsets(partition, timeout=settings.startup_timeout_s)
        except KafkaException as error:
            fault = error.args[0]
            answered = fault.code() > 0 and time.monotonic() + _POLL_S >= deadline  # the client's own codes are below 0
            if answered or denied(fault):
                raise translate(fault, "reading") from None
            time.sleep(_POLL_S)
        else:
            if found is not None:
                return found
    raise _no_answer(settings)


def _until_end(settings: KafkaSettings, consumer: Consumer, ends: dict[int, int]) -> Iterator[Record]:
    """Yield records up to `ends`, and on until a fetch is empty.

    An empty fetch alone does not prove the end: a replica that is taken for the leader may lack recently acknowledged
    records. The end offset alone doesn't either: some brokers report the start of the last batch.
    """
    silent_s = 0.0
    while ends:
        messages = consumer.consume(_BATCH, _POLL_S)
        silent_s = 0.0 if messages else silent_s + _POLL_S
        if silent_s > settings.startup_timeout_s:
            raise _no_answer(settings)
        for message in messages:
            error = message.error()
            if error is None:
                yield record_of(message)
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's local codes begin so
                reached = message.partition() or 0
                if (message.offset() or 0) >= ends.get(reached, 0):
                    ends.pop(reached, None)
            elif not error.retriable():
                raise translate(error, "reading")


def _no_answer(settings: KafkaSettings) -> UnavailableError:
    return UnavailableError(f"no broker answers at {settings.brokers}; set TICKETS_KAFKA__BROKERS, or start one")


def _reader(settings: KafkaSettings) -> Consumer:
    options: Options = client_options(settings) | {
        # The client requires a group, and looks up its coordinator, though nothing is committed. The name begins with
        # the worker's group, so that a prefixed ACL for that covers it.
        "group.id": f"{settings.group}-reader",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
        "fetch.wait.max.ms": _HELD_MS,
    }
    return open_client(Consumer, options)
