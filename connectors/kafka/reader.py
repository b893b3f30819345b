"""Reads a topic from start to end, outside any group."""

import time
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from connectors.kafka.clients import open_client
from connectors.kafka.faults import denied, translate
from connectors.kafka.messages import Reached, item_of, partition_of
from connectors.kafka.options import READING, Options, client_options
from connectors.kafka.skipping import BatchSkipper
from core.errors import FatalError, TicketstreamError, UnavailableError
from core.records import Origin, Record
from core.settings import KafkaSettings
from delivery.offsets import TopicPartition as Partition

_POLL_S: Final = 0.05
#: Time for which the broker holds an empty fetch; the end of each partition costs one.
_HELD_MS: Final = 50


class CutLogError(FatalError):
    """A log has lost its last records. The message says what to do."""


def read_topic(
    settings: KafkaSettings,
    topic: str,
    *,
    partitions: int,
    start: Mapping[int, int] | None = None,
    only: Collection[int] | None = None,
) -> Iterator[Record]:
    """Yield every record of `topic`, at least up to the present end offsets, with partitions interleaved.

    Args:
        settings: of the broker.
        topic: what to read.
        partitions: how many it has.
        start: start offset by partition; the default is the partition's first record.
        only: the partitions to read; the default is all.

    Raises:
        UnavailableError: the broker stops answering.
        CutLogError: a partition ends before its start offset.
    """
    begin = start or {}
    with _reader(settings) as consumer:
        bounds = {
            n: _bounds(settings, consumer, TopicPartition(topic, n))
            for n in range(partitions)
            if only is None or n in only
        }
        starts = {(topic, n): begin.get(n, first) for n, (first, _end) in bounds.items()}
        ends = {(topic, n): end for n, (_first, end) in bounds.items()}
        # beyond the end, the client would start again at the partition's first record
        begins = {partition: min(offset, ends[partition]) for partition, offset in starts.items()}
        consumer.assign([TopicPartition(*partition, offset) for partition, offset in begins.items()])
        items = _read(consumer, begins, settings.startup_timeout_s)
        yield from _until_end(settings, items, starts, ends)


def find_cut(settings: KafkaSettings, topic: str, positions: Mapping[int, int]) -> str | None:
    """The reason why a log that was read up to `positions` ends before them; None if it doesn't, or can't be read."""
    try:
        deque(read_topic(settings, topic, partitions=max(positions) + 1, start=positions, only=positions), maxlen=0)
    except CutLogError as error:
        return str(error)
    except TicketstreamError:
        return None
    return None


def ends_of(settings: KafkaSettings, topic: str, partitions: Collection[int]) -> dict[int, int]:
    """End offset of each partition. Some brokers report the start of the last batch.

    Raises:
        UnavailableError: the broker stops answering.
    """
    with _reader(settings) as consumer:
        return {n: _bounds(settings, consumer, TopicPartition(topic, n))[1] for n in partitions}


def read_one(settings: KafkaSettings, origin: Origin) -> Record | None:
    """The record at `origin`, or None if it doesn't exist or has expired.

    Raises:
        UnavailableError: the broker stops answering.
    """
    return next(iter(read_range(settings, origin, last=origin.offset)), None)


def read_range(settings: KafkaSettings, first: Origin, *, last: int) -> list[Record]:
    """The records from `first` to offset `last` of its partition, without those that don't exist or have expired.

    Raises:
        UnavailableError: the broker stops answering.
    """
    found: list[Record] = []
    with _reader(settings) as consumer:
        partition = (first.topic, first.partition)
        _start, end = _bounds(settings, consumer, TopicPartition(*partition))
        # beyond the partition's end some brokers don't answer, and others make the client start at its first record
        begin = min(first.offset, end)
        consumer.assign([TopicPartition(*partition, begin)])
        for item in _read(consumer, {partition: begin}, settings.startup_timeout_s / 2):
            if isinstance(item, Reached) or not begin <= item.origin.offset <= last:
                break
            if item.origin.offset >= first.offset:
                found.append(item)
            if item.origin.offset == last:
                break
    return found


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


def _until_end(
    settings: KafkaSettings,
    items: Iterable[Record | Reached],
    starts: Mapping[Partition, int],
    ends: dict[Partition, int],
) -> Iterator[Record]:
    """Yield records from `starts` up to `ends`, and on until a fetch is empty.

    An empty fetch alone does not prove the end: a replica that is taken for the leader may lack recently acknowledged
    records. The end offset alone doesn't either: some brokers report the start of the last batch.
    """
    if not ends:
        return
    for item in items:
        start = starts[partition_of(item)]
        if isinstance(item, Record):
            if item.next_offset > start:
                yield item
        elif item.offset >= ends.get(item.partition, 0):
            if item.offset < start:
                raise _cut(item, start)
            ends.pop(item.partition, None)
            if not ends:
                return
    raise _no_answer(settings)


def _read(consumer: Consumer, starts: Mapping[Partition, int], patience_s: float) -> Iterator[Record | Reached]:
    """Yield the client's items from `starts`, until there is none for `patience_s`.

    Messages are taken one by one, because their size is known only then.
    """
    skipper = BatchSkipper(consumer, expected=lambda partition: starts.get(partition, 0))
    silent_s = 0.0
    while silent_s <= patience_s:
        messages = consumer.consume(1, _POLL_S)
        silent_s = 0.0 if messages else silent_s + _POLL_S
        for item in map(item_of, messages):
            if not isinstance(item, KafkaError):
                yield from skipper.read(item)
            elif not item.retriable():
                raise translate(item, "reading")


def _cut(end: Reached, start: int) -> CutLogError:
    topic, number = end.partition
    return CutLogError(
        f"{topic}[{number}] ends at offset {end.offset:,} and had offsets up to {start:,}: its log was cut, or "
        "restored from an older copy; send the lost events again, or restore the archive to a new topic"
    )


def _no_answer(settings: KafkaSettings) -> UnavailableError:
    return UnavailableError(f"no broker answers at {settings.brokers}; set TICKETS_KAFKA__BROKERS, or start one")


def _reader(settings: KafkaSettings) -> Consumer:
    options: Options = client_options(settings) | {
        # The client requires a group, and looks up its coordinator, though nothing is committed. The name begins with
        # the worker's group, so that a prefixed ACL for that covers it.
        "group.id": f"{settings.group}-reader",
        "enable.auto.commit": False,
        **READING,
        "auto.offset.reset": "earliest",
        "fetch.wait.max.ms": _HELD_MS,
    }
    return open_client(Consumer, options)
