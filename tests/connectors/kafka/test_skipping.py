"""Each batch that the client can't read is skipped and becomes one damaged record."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from confluent_kafka import KafkaException, Producer, TopicPartition
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.kafka.messages import Item, Reached, Unreadable
from connectors.kafka.options import producer_options
from connectors.kafka.reader import read_range, read_topic
from connectors.kafka.skipping import BatchSkipper
from core.records import Damage, Origin, Record
from core.settings import KafkaSettings
from tests.connectors.kafka.topics import new_topic
from tests.rigs.kafka import Kafka

PARTITION: Final = ("raw", 0)
_MIB: Final = 1024 * 1024


class _Log:
    """A client that reads one partition: batches of (records, readable), with gaps between them.

    Like librdkafka it reports an unreadable batch by its first offset, whichever offset in it is read, and stays there.
    """

    def __init__(self, batches: Sequence[tuple[int, bool, int]], start: int = 0) -> None:
        self.batches: list[tuple[int, int, bool]] = []
        end = 0
        for count, readable, gap in batches:
            self.batches.append((end, end + count, readable))
            end += count + gap
        self.end = max((after for _first, after, _readable in self.batches), default=0)
        self.position = start
        self.seeks = 0
        self.ended = False

    def seek(self, to: TopicPartition) -> None:
        assert to.offset <= self.end, "past the end, the client begins again at its first record"
        self.position, self.ended = to.offset, False
        self.seeks += 1

    def get_watermark_offsets(self, _partition: TopicPartition, *, cached: bool) -> tuple[int, int]:
        del cached
        return 0, self.end

    def next(self) -> Item | None:
        """The client's next item."""
        for first, after, readable in self.batches:
            if self.position < after:
                if not readable:
                    return Unreadable(PARTITION, first, "CRC")
                self.position = max(first, self.position) + 1
                return Record(Origin(*PARTITION, self.position - 1), None, b"", 0)
        if self.ended:
            return None
        self.ended, self.position = True, self.end
        return Reached(PARTITION, self.end)


def _read(log: _Log, *, expected: int = 0) -> list[Record | Reached]:
    client: Any = log
    skipper = BatchSkipper(client, expected=lambda _partition: expected)
    found: list[Record | Reached] = []
    while (item := log.next()) is not None:
        found += skipper.read(item)
        assert log.seeks < 2_000
    return found


@given(
    st.lists(st.tuples(st.integers(1, 9), st.booleans(), st.sampled_from([0, 0, 1, 4])), max_size=12),
    st.integers(0, 20),
)
@settings(max_examples=400)
def test_every_readable_record_is_read_once_and_each_other_batch_becomes_one(
    batches: list[tuple[int, bool, int]], start: int
) -> None:
    """Records of sound batches are read once, whatever the order of batches and the offset of the start."""
    log = _Log(batches)
    log.position = start = min(start, log.end)
    found = _read(log, expected=start)
    assert found[-1] == Reached(PARTITION, log.end)
    sound = [item.origin.offset for item in found if isinstance(item, Record) and item.damage is None]
    assert sound == [
        offset
        for first, after, readable in log.batches
        if readable
        for offset in range(first, after)
        if offset >= start
    ]
    damaged = [(item.origin.offset, item.next_offset) for item in found if isinstance(item, Record) and item.damage]
    bad = [(max(first, start), after) for first, after, readable in log.batches if not readable and after > start]
    assert [first for first, _after in damaged] == [first for first, _after in bad]
    ends = [*(first for first, _after in bad[1:]), log.end][: len(bad)]
    assert all(after <= end <= limit for (_, after), (_, end), limit in zip(bad, damaged, ends, strict=True)), (
        "no overlap"
    )


def test_a_long_batch_takes_few_seeks() -> None:
    """The end of a batch of 100,000 records is found in fewer than 40 seeks."""
    log = _Log([(5, True, 0), (100_000, False, 0), (900_000, True, 0)])
    client: Any = log
    skipper = BatchSkipper(client, expected=lambda _partition: 0)
    found: list[Record | Reached] = []
    while len(found) < 7:
        item = log.next()
        assert item is not None
        found += skipper.read(item)
    assert log.seeks < 40
    lost = found[5]
    assert isinstance(lost, Record)
    assert lost.damage is not None
    assert (lost.origin.offset, lost.damage.last) == (5, 100_004)
    assert "offsets 5 to 100004" in lost.damage.reason


def test_a_seek_that_fails_is_made_again() -> None:
    """After a failed seek the client reports the batch again, and the search starts again."""
    log = _Log([(1, True, 0), (3, False, 0), (2, True, 0)])
    seek, failures = log.seek, [2, 1]

    def failing(to: TopicPartition) -> None:
        if failures and to.offset >= 2:
            failures.pop()
            raise KafkaException("state")
        seek(to)

    log.seek = failing  # type: ignore[method-assign]
    found = _read(log)
    assert [item.origin.offset for item in found if isinstance(item, Record)] == [0, 1, 4, 5]
    assert not failures


def test_a_revoked_partition_is_forgotten() -> None:
    """A revoked partition's search is dropped, and its records are passed on again."""
    log = _Log([(3, False, 0), (1, True, 0)])
    client: Any = log
    skipper = BatchSkipper(client, expected=lambda _partition: 0)
    first = log.next()
    assert first is not None
    assert skipper.read(first) == ()
    skipper.forget([PARTITION])
    record = Record(Origin(*PARTITION, 3), None, b"", 0)
    assert skipper.read(record) == (record,)


def test_bits_that_flipped_on_the_broker_s_disk_are_noticed(apache_kafka: Kafka) -> None:
    """A batch with flipped bits is reported as damaged, and the batches around it are read."""
    topic = new_topic(apache_kafka.address)
    kafka = KafkaSettings(brokers=apache_kafka.address)
    for number in range(4):
        _produce(kafka, topic, [b"value %d-%d" % (number, n) for n in range(3)])
    (log,) = apache_kafka.folder.glob(f"**/{topic}-0/*.log")
    _flip(log, b"value 1-1")
    found = list(read_topic(kafka, topic, partitions=1))
    assert [r.origin.offset for r in found] == [0, 1, 2, 3, *range(6, 12)]
    assert found[3].damage is not None
    assert "the batch of offsets 3 to 5" in found[3].damage.reason
    assert [r.damage for r in read_range(kafka, Origin(topic, 0, 4), last=7)][1:] == [None, None]


@pytest.mark.parametrize("before", [0, 2])
def test_a_batch_that_unpacks_to_too_much_is_passed(kafka: str, before: int) -> None:
    """A batch of a few kilobytes that unpacks to more than 100 MB is skipped, first in a partition or later."""
    topic = new_topic(kafka)
    settings_ = KafkaSettings(brokers=kafka)
    if before:
        _produce(settings_, topic, [b"a", b"b"])
    _produce(settings_, topic, [b" " * 110 * _MIB], codec="zstd")
    _produce(settings_, topic, [b"c"])
    found = list(read_topic(settings_, topic, partitions=1))
    assert [r.origin.offset for r in found] == list(range(before + 2))
    assert [isinstance(r.damage, Damage) for r in found] == [*[False] * before, True, False]
    assert found[-1].value == b"c"


def _produce(kafka: KafkaSettings, topic: str, values: Sequence[bytes], codec: str = "none") -> None:
    """Write `values` as one batch."""
    large = {"message.max.bytes": 10**9, "queue.buffering.max.kbytes": 10**6, "linger.ms": 50}
    producer = Producer(producer_options(kafka) | large | {"compression.type": codec})
    for value in values:
        producer.produce(topic, value, b"acme/1")
    assert producer.flush(30) == 0


def _flip(log: Path, text: bytes) -> None:
    data = bytearray(log.read_bytes())
    data[data.index(text)] ^= 1
    with log.open("r+b") as file:
        file.write(data)
