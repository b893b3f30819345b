"""librdkafka's messages and offsets as our records, and back."""

from collections.abc import Iterable, Mapping

from confluent_kafka import Message, TopicPartition

from core.records import Origin, Record
from delivery.offsets import TopicPartition as Partition


def record_of(message: Message) -> Record:
    """`message`, which carries no error, as a record."""
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None  # noqa: S101 - for mypy: a message without error has all three
    assert partition is not None  # noqa: S101 - likewise
    assert offset is not None  # noqa: S101 - likewise
    _kind, timestamp_ms = message.timestamp()
    pairs = message.headers() or ()
    headers = tuple(
        (name, _bytes(value) or b"") for name, value in (pairs.items() if isinstance(pairs, dict) else pairs)
    )
    return Record(
        Origin(topic, partition, offset), _bytes(message.key()), _bytes(message.value()), timestamp_ms, headers
    )


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value


def offsets_of(watermarks: Mapping[Partition, int]) -> list[TopicPartition]:
    """Watermarks as the client commits them."""
    return [TopicPartition(topic, number, offset) for (topic, number), offset in watermarks.items()]


def partitions_of(partitions: Iterable[TopicPartition]) -> set[Partition]:
    """The bare names of `partitions`."""
    return {(p.topic, p.partition) for p in partitions}
