"""The input boundary: a message of the client becomes a record, an end of a partition, or an unreadable batch.

No content raises here, because an exception would end the polling thread.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import methodcaller
from typing import Final

from confluent_kafka import KafkaError, Message, TopicPartition
from msgspec import Struct

from connectors.kafka.dead_letters import HEADER_PREFIX
from core.records import Damage, Headers, Origin, Record
from delivery.offsets import TopicPartition as Partition

#: More headers are left out: each costs memory beyond its bytes, and an event needs one at most.
_MAX_HEADERS: Final = 100
#: A dead letter has these in addition to its record's, and a replayed record has two of them.
_MAX_OF_LETTERS: Final = 20
#: `message.headers()`, called so that CPython checks the result. For a name that isn't UTF-8 the client (2.16) sets
#: an exception and returns a list with a null pointer. CPython's specialised method call would return that list, and
#: reading it crashes the process.
_call_headers: Final = methodcaller("headers")
#: Errors of an unreadable batch, which the client never skips by itself.
_UNREADABLE: Final = {
    KafkaError._BAD_MSG,  # noqa: SLF001 - librdkafka's local codes begin with an underscore
    KafkaError._BAD_COMPRESSION,  # noqa: SLF001 - likewise
    KafkaError._NOT_IMPLEMENTED,  # noqa: SLF001 - likewise
    KafkaError.MSG_SIZE_TOO_LARGE,
}


class Reached(Struct, frozen=True):
    """All records of a partition before `offset` were returned. Control records and aborted ones count as read."""

    partition: Partition
    offset: int


class Unreadable(Struct, frozen=True):
    """A batch that the client can't read; it begins at `offset`, and its end is unknown."""

    partition: Partition
    offset: int
    reason: str


#: An item read from a partition.
Item = Record | Reached | Unreadable


def item_of(message: Message) -> Item | KafkaError:
    """The record in `message`, the end or unreadable batch that its error reports, or another error."""
    error = message.error()
    if error is None:
        return record_of(message)
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    if topic is None or partition is None or offset is None or offset < 0:
        return error
    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - likewise
        return Reached((topic, partition), offset)
    if error.code() in _UNREADABLE:
        return Unreadable((topic, partition), offset, error.str())
    return error


def partition_of(item: Item) -> Partition:
    """The partition that `item` was read from."""
    return (item.origin.topic, item.origin.partition) if isinstance(item, Record) else item.partition


def record_of(message: Message) -> Record:
    """Convert a message without an error to a record. Headers that can't be read are left out, and `damage` says so."""
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None  # noqa: S101 - for mypy: a message without error has all three
    assert partition is not None  # noqa: S101 - likewise
    assert offset is not None  # noqa: S101 - likewise
    _kind, timestamp_ms = message.timestamp()
    headers, damage = _headers(message, offset)
    return Record(
        Origin(topic, partition, offset),
        _bytes(message.key()),
        _bytes(message.value()),
        timestamp_ms,
        headers,
        damage,
    )


def _headers(message: Message, offset: int) -> tuple[Headers, Damage | None]:
    try:
        found = _call_headers(message)  # once: a second call would return the list with the null pointer
    except Exception:  # noqa: BLE001 - SystemError, caused by UnicodeDecodeError
        return (), Damage("headers", "its headers can't be read: a name is not UTF-8", offset)
    if not found:
        return (), None
    pairs = list(found.items()) if isinstance(found, dict) else found
    if len(pairs) > _MAX_HEADERS and _own(pairs) > _MAX_HEADERS:
        return (), Damage(
            "headers", f"it has {len(pairs):,} headers, more than the {_MAX_HEADERS} that are read", offset
        )
    return tuple((name, _bytes(value)) for name, value in pairs), None


def _own(pairs: Sequence[tuple[str, object]]) -> int:
    """Number of headers, apart from those of a dead letter."""
    of_letter = sum(name.startswith(HEADER_PREFIX) for name, _value in pairs)
    return len(pairs) - min(of_letter, _MAX_OF_LETTERS)


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value


def offsets_of(positions: Mapping[Partition, int], note: Callable[[Partition], str]) -> list[TopicPartition]:
    """Convert commit positions to the offsets that the client commits, with the metadata that `note` gives."""
    return [TopicPartition(*partition, offset, note(partition)) for partition, offset in positions.items()]


def partitions_of(partitions: Iterable[TopicPartition]) -> set[Partition]:
    """`partitions` as (topic, number) tuples, without their offsets."""
    return {(p.topic, p.partition) for p in partitions}
