"""Consumer groups, the producer, dead letters and administration on real brokers."""

import time
from collections.abc import Callable
from typing import Literal
from uuid import uuid4

import pytest
from confluent_kafka import Producer

from connectors.kafka.admin import open_cluster
from connectors.kafka.assignment import ConsumerObserver
from connectors.kafka.consumer import GroupConsumer, open_consumer
from connectors.kafka.dead_letters import DeadLetterTopic
from connectors.kafka.options import producer_options
from connectors.kafka.producer import Outgoing, open_sender
from connectors.kafka.reader import read_one, read_topic
from core.errors import FatalError
from core.records import Batch, Origin, Record, Rejected
from core.settings import KafkaSettings, WriterSettings
from delivery.credits import Credits
from tests.rigs.calm import calm_clock
from tests.rigs.kafka import Kafka
from tests.rigs.waiting import PATIENCE_S

#: `range` is the classic protocol under the eager assignor.
Protocol = Literal["classic", "range", "consumer"]


class _Topic:
    """A new topic, with records numbered in their values."""

    def __init__(
        self, brokers: str, *, partitions: int = 1, protocol: Protocol = "classic", commit_interval_s: float = 0.05
    ) -> None:
        name = uuid4().hex[:8]
        self.name = f"topic-{name}"
        self.kafka = KafkaSettings(
            brokers=brokers,
            group=f"group-{name}",
            group_protocol="consumer" if protocol == "consumer" else "classic",
            assignment_strategy="range" if protocol == "range" else "cooperative-sticky",
            session_timeout_s=6,
            commit_interval_s=commit_interval_s,
        )
        self.partitions = partitions
        self.cluster = open_cluster(self.kafka)
        self.cluster.create_topic(self.name, partitions=partitions, replication=1, config={})

    def fill(self, count: int, start: int = 0) -> None:
        sender = open_sender(self.kafka)
        numbers = range(start, start + count)
        sender.send([Outgoing(self.name, f"acme/{n}".encode(), str(n).encode()) for n in numbers])
        sender.close()

    def consumer(self, *, batch: int = 10, inflight: int = 10_000) -> GroupConsumer:
        limits = WriterSettings(max_batch_records=batch, max_batch_delay_ms=20, drain_timeout_s=2)
        return open_consumer(
            topic=self.name,
            kafka=self.kafka,
            limits=limits,
            credits_=Credits(tickets=inflight, bytes_=10**9),
            observer=ConsumerObserver(),
        )

    def committed(self) -> int:
        return sum(lag.committed or 0 for lag in self.cluster.lag(self.name, self.kafka.group))


def _poll_until(consumer: GroupConsumer, done: Callable[[list[Batch[Record]]], bool]) -> list[Batch[Record]]:
    batches: list[Batch[Record]] = []
    deadline = time.monotonic() + PATIENCE_S
    while not done(batches):
        assert time.monotonic() < deadline, f"{sum(len(b.items) for b in batches)} records so far"
        batch = consumer.poll()
        if batch is not None:
            batches.append(batch)
    return batches


def _count(batches: list[Batch[Record]]) -> int:
    return sum(len(batch.items) for batch in batches)


def _drain(consumer: GroupConsumer) -> None:
    consumer.stop()
    deadline = time.monotonic() + PATIENCE_S
    while not consumer.finished:
        assert time.monotonic() < deadline
        consumer.poll()


@pytest.fixture(params=["classic", "range", "consumer"])
def protocol(request: pytest.FixtureRequest) -> Protocol:
    """Both group protocols, and both assignors of the classic one."""
    chosen: Protocol = request.param
    return chosen


def _unacked_is_read_again(brokers: str, protocol: Protocol) -> None:
    """When all but the third batch of 50 records are acked, the next member begins at that batch."""
    topic = _Topic(brokers, protocol=protocol)
    topic.fill(50)
    first = topic.consumer()
    batches = _poll_until(first, lambda b: _count(b) == 50)
    held = batches[2]
    for batch in batches:
        if batch is not held:
            first.ack(batch.receipt)
    _drain(first)
    assert topic.committed() == held.items[0].origin.offset
    second = topic.consumer()
    wanted = 50 - held.items[0].origin.offset
    again = _poll_until(second, lambda b: _count(b) == wanted)
    assert again[0].items[0].origin == held.items[0].origin
    for batch in again:
        second.ack(batch.receipt)
    _drain(second)
    assert topic.committed() == 50


def test_nothing_is_committed_past_an_unacked_batch(tansu: str) -> None:
    """Nothing past an unacked batch is committed on the local broker."""
    _unacked_is_read_again(tansu, "classic")


def test_nothing_is_committed_past_an_unacked_batch_on_kafka(apache_kafka: Kafka, protocol: Protocol) -> None:
    """Nothing past an unacked batch is committed on Apache Kafka, under both group protocols."""
    _unacked_is_read_again(apache_kafka.address, protocol)


def test_a_full_pipeline_stops_reading_and_stays_in_the_group(tansu: str) -> None:
    """Without credits nothing is read, even after a pause; acks resume reading, and nothing is skipped or repeated."""
    topic = _Topic(tansu)
    topic.fill(60)
    consumer = topic.consumer(inflight=20)
    batches = _poll_until(consumer, lambda b: _count(b) == 20)
    until = time.monotonic() + 2.5
    while time.monotonic() < until:
        assert consumer.poll() is None
    for batch in batches:
        consumer.ack(batch.receipt)
    more = _poll_until(consumer, lambda b: _count(b) == 20)
    numbers = [int(r.value or b"") for b in (*batches, *more) for r in b.items]
    assert numbers == list(range(40)), "nothing is skipped or repeated over the pause"
    consumer.close()


def test_two_members_share_and_neither_loses(apache_kafka: Kafka, protocol: Protocol) -> None:
    """After a second member joins in mid-stream, both together ack and commit every record."""
    topic = _Topic(apache_kafka.address, partitions=4, protocol=protocol)
    topic.fill(400)
    seen: set[tuple[int, int]] = set()

    def take(member: GroupConsumer) -> None:
        batch = member.poll()
        if batch is not None:
            seen.update((r.origin.partition, r.origin.offset) for r in batch.items)
            member.ack(batch.receipt)

    first = topic.consumer()
    while len(seen) < 100:
        take(first)
    second = topic.consumer()
    topic.fill(400, start=400)
    deadline = time.monotonic() + PATIENCE_S
    while topic.committed() < 800:
        assert time.monotonic() < deadline, (len(seen), topic.committed())
        for _ in range(20):
            take(first)
            take(second)
    assert len(seen) == 800
    _drain(first)
    _drain(second)


def _revoked_partitions_are_committed(brokers: str, protocol: Protocol) -> None:
    """A member that has acked all and committed nothing shares with a second one, and nothing is read twice.

    The commit is sent in the revocation's callback and doesn't block it: the client serves one thread at a time, so a
    commit by another thread would wait for the callback's end.
    """
    topic = _Topic(brokers, partitions=4, protocol=protocol, commit_interval_s=300)
    topic.fill(400)
    first = topic.consumer()
    batches = _poll_until(first, lambda b: _count(b) == 400)
    for batch in batches:
        first.ack(batch.receipt)
    assert topic.committed() == 0
    second = topic.consumer()
    seen = [record.origin for batch in batches for record in batch.items]
    sent, shared, longest = 400, False, 0.0
    deadline = time.monotonic() + PATIENCE_S
    while not shared or len(set(seen)) < sent:
        assert time.monotonic() < deadline, (sent, len(seen))
        if not shared:
            topic.fill(8, start=sent)
            sent += 8
        for member in (first, second):
            began = calm_clock()
            polled = member.poll()
            longest = max(longest, calm_clock() - began)
            if polled is not None:
                member.ack(polled.receipt)
                seen += [record.origin for record in polled.items]
                shared = shared or member is second
    _drain(first)
    _drain(second)
    assert len(seen) == sent, "one was read twice"
    assert topic.committed() == sent
    assert longest < 3, f"a poll took {longest:.1f} s"


def test_revoked_partitions_are_committed(tansu: str) -> None:
    """Revoked partitions are committed on the local broker, so that nothing is read twice."""
    _revoked_partitions_are_committed(tansu, "classic")


def test_revoked_partitions_are_committed_on_kafka(apache_kafka: Kafka, protocol: Protocol) -> None:
    """Revoked partitions are committed on Apache Kafka, under both group protocols."""
    _revoked_partitions_are_committed(apache_kafka.address, protocol)


def test_a_dead_letter_keeps_the_record_and_adds_the_reason(tansu: str) -> None:
    """A dead letter keeps key, value and headers, and adds stage, code, reason, origin and first-seen time."""
    topic = _Topic(tansu)
    record = Record(Origin("tickets.raw", 3, 17), b"acme/1", b"\xff\x00", 0, (("trace", b"abc"),))
    sender = open_sender(topic.kafka)
    letters = DeadLetterTopic(sender, topic=topic.name, now_ms=lambda: 1234)
    letters.publish([Rejected(record, "decode", "bad_utf8", "the value is not UTF-8")])
    (letter,) = read_topic(topic.kafka, topic.name, partitions=1)
    headers = dict(letter.headers)
    assert (letter.key, letter.value, headers["trace"]) == (b"acme/1", b"\xff\x00", b"abc")
    assert (headers["dlq-stage"], headers["dlq-code"]) == (b"decode", b"bad_utf8")
    assert (headers["dlq-topic"], headers["dlq-partition"], headers["dlq-offset"]) == (b"tickets.raw", b"3", b"17")
    assert headers["dlq-first-seen-ms"] == b"1234"

    # replayed and rejected again, it keeps the time it was first seen
    replayed = Record(Origin("tickets.raw", 3, 99), b"acme/1", b"\xff\x00", 0, (("dlq-first-seen-ms", b"1000"),))
    letters.publish([Rejected(replayed, "decode", "bad_utf8", "again")])
    again = read_one(topic.kafka, Origin(topic.name, 0, 1))
    assert again is not None
    assert dict(again.headers)["dlq-first-seen-ms"] == b"1000"
    sender.close()


def test_a_commit_passes_the_markers_of_transactions(kafka: str) -> None:
    """Once all records are acked, the group has no lag, after a committed and an aborted transaction."""
    topic = _Topic(kafka)
    producer = Producer(producer_options(topic.kafka) | {"transactional.id": topic.name})
    producer.init_transactions(PATIENCE_S)
    for value, end in ((b"1", producer.commit_transaction), (b"2", producer.abort_transaction)):
        producer.begin_transaction()
        producer.produce(topic.name, value)
        producer.flush(PATIENCE_S)
        end(PATIENCE_S)
    consumer = topic.consumer()
    batches = _poll_until(consumer, lambda b: _count(b) >= 1)
    until = time.monotonic() + 1
    while time.monotonic() < until:
        if (more := consumer.poll()) is not None:  # the local broker shows aborted records
            batches.append(more)
    assert topic.committed() == 0
    for batch in batches:
        consumer.ack(batch.receipt)
    _drain(consumer)
    assert topic.committed() == 4
    assert sum(one.lag for one in topic.cluster.lag(topic.name, topic.kafka.group)) == 0


def test_reading_past_the_end_returns_none(tansu: str) -> None:
    """An offset past the end of a topic has no record."""
    topic = _Topic(tansu)
    topic.fill(3)
    assert read_one(topic.kafka, Origin(topic.name, 0, 1)) is not None
    assert read_one(topic.kafka, Origin(topic.name, 0, 50)) is None


def test_a_wrong_password_stops_a_consumer(apache_kafka: Kafka) -> None:
    """A wrong password is fatal, since no retry would help."""
    consumer = open_consumer(
        topic="any",
        kafka=apache_kafka.login("wrong", group="refused"),
        limits=WriterSettings(max_batch_delay_ms=100),
        credits_=Credits(tickets=10, bytes_=10**6),
        observer=ConsumerObserver(),
    )
    deadline = time.monotonic() + PATIENCE_S
    refusal = None
    while refusal is None:
        assert time.monotonic() < deadline, "no error was raised"
        try:
            consumer.poll()
        except FatalError as error:
            refusal = str(error)
    assert "the broker refuses" in refusal
    consumer.close()
