"""Converts librdkafka's messages and offsets to our records and positions, and back."""

from collections.abc import Iterable, Mapping

from confluent_kafka import Message, TopicPartition

from core.records import Origin, Record
from delivery.offsets import TopicPartition as Partition


def record_of(message: Message) -> Record:
    """Convert a message without an error to a record."""
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


def offsets_of(positions: Mapping[Partition, int]) -> list[TopicPartition]:
    """Convert commit positions to the offsets that the client commits."""
    return [TopicPartition(topic, number, offset) for (topic, number), offset in positions.items()]


def partitions_of(partitions: Iterable[TopicPartition]) -> set[Partition]:
    """`partitions` as (topic, number) tuples, without their offsets."""
    return {(p.topic, p.partition) for p in partitions}
