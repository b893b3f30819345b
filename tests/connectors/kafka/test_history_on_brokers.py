"""A group whose offsets don't fit the log of a real broker any more, as records expired or the topic was recreated."""

import time
from collections.abc import Callable
from typing import Final

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from connectors.kafka.admin import open_cluster
from connectors.kafka.consumer import GroupConsumer, open_consumer
from connectors.kafka.history import CommitNote, GroupHistory
from connectors.kafka.watch import TopicWatch, open_topic_watch
from core.errors import FatalError
from core.settings import KafkaSettings, WriterSettings
from delivery.credits import Credits
from tests.connectors.kafka.observers import HistoryRecorder
from tests.connectors.kafka.topics import new_topic
from tests.rigs.kafka import Kafka

_PATIENCE_S: Final = 40.0


class _Group:
    """A topic of one partition, and members of a group, one after the other."""

    def __init__(self, brokers: str) -> None:
        self.topic = new_topic(brokers)
        self.kafka = KafkaSettings(
            brokers=brokers, group=f"group-{self.topic}", session_timeout_s=6, commit_interval_s=0.05
        )
        self.cluster = open_cluster(self.kafka)
        self.admin = AdminClient({"bootstrap.servers": brokers})
        self.observer = HistoryRecorder()

    def fill(self, count: int, start: int = 0) -> None:
        producer = Producer({"bootstrap.servers": self.kafka.brokers})
        for number in range(start, start + count):
            producer.produce(self.topic, str(number))
        assert producer.flush(_PATIENCE_S) == 0

    def recreate(self) -> None:
        self.admin.delete_topics([self.topic])[self.topic].result(_PATIENCE_S)
        _until(lambda: self.topic not in self.cluster.topics())
        self.cluster.create_topic(self.topic, partitions=1, replication=1, config={})
        self.cluster.require_topics([self.topic])

    def member(self) -> GroupConsumer:
        return open_consumer(
            topic=self.topic,
            kafka=self.kafka,
            limits=WriterSettings(max_batch_records=50, max_batch_delay_ms=20, drain_timeout_s=2),
            credits_=Credits(tickets=10_000, bytes_=10**9),
            observer=self.observer,
            watch=open_topic_watch(self.kafka, self.topic),
        )

    def read(self, member: GroupConsumer, count: int) -> list[int]:
        """Read and ack `count` records; return their numbers."""
        found: list[int] = []
        deadline = time.monotonic() + _PATIENCE_S
        while len(found) < count:
            assert time.monotonic() < deadline, found
            batch = member.poll()
            if batch is not None:
                found += (int(item.value or b"") for item in batch.items)
                member.ack(batch.receipt)
        return found

    def leave(self, member: GroupConsumer) -> None:
        member.stop()
        _until(lambda: member.poll() is None and member.finished)


def _until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _polls_until_it_ends(member: GroupConsumer, group: _Group) -> float:
    """Read until the member raises that the topic is another one; return the seconds."""
    began = time.monotonic()
    while time.monotonic() - began < _PATIENCE_S:
        try:
            batch = member.poll()
        except FatalError as error:
            assert str(error).startswith(f"{group.topic} was deleted and created again")  # noqa: PT017 - after many calls
            break
        if batch is not None:
            member.ack(batch.receipt)
    return time.monotonic() - began


@pytest.mark.parametrize("new", [10, 1_000])
def test_a_topic_created_again_under_a_reader_loses_nothing(apache_kafka: Kafka, new: int) -> None:
    """The client would skip 300 of 1,000 new records, as it reads on at the old offset; the next start reads all.

    On the local broker the client crashes (librdkafka 2.16, with its default options too).
    """
    group = _Group(apache_kafka.address)
    group.fill(300)
    member = group.member()
    assert len(group.read(member, 300)) == 300
    group.recreate()
    group.fill(new)
    assert _polls_until_it_ends(member, group) < 10
    member.close()
    again = group.member()
    assert sorted(group.read(again, new)) == list(range(new))
    group.leave(again)


def test_offsets_of_a_deleted_topic_are_not_used(apache_kafka: Kafka) -> None:
    """A frozen worker may commit an old offset after the topic was recreated; the next member doesn't use it."""
    group = _Group(apache_kafka.address)
    group.fill(40)
    member = group.member()
    group.read(member, 40)
    group.leave(member)
    old = group.cluster.lag(group.topic, group.kafka.group)[0].committed
    assert old == 40
    topic_id = open_topic_watch(group.kafka, group.topic).topic_id
    group.recreate()
    group.fill(100)
    late = TopicPartition(group.topic, 0, 40, CommitNote(topic_id).text())
    group.cluster._groups._member(group.kafka.group).commit(offsets=[late], asynchronous=False)
    again = group.member()
    assert sorted(group.read(again, 100)) == list(range(100))
    group.leave(again)
    assert group.observer.anew == [0]


def test_records_that_expire_before_they_are_read_are_counted(apache_kafka: Kafka) -> None:
    """Records that expire unread are counted, with or without a running member, and the count is committed."""
    group = _Group(apache_kafka.address)
    group.fill(40)
    first = group.member()
    numbers = group.read(first, 40)
    group.leave(first)
    assert numbers == list(range(40))
    assert group.observer.lost == 0
    group.fill(40, start=40)
    _delete(group, 60)
    (lag,) = group.cluster.lag(group.topic, group.kafka.group)
    assert (lag.expired, lag.lag) == (20, 20), "known before anybody reads"
    second = group.member()
    assert group.read(second, 20) == list(range(60, 80))
    assert group.observer.lost == 20
    group.leave(second)
    (lag,) = group.cluster.lag(group.topic, group.kafka.group)
    assert (lag.expired, lag.lag) == (20, 0), "still known afterwards"
    third = group.member()
    group.fill(5, start=80)
    assert group.read(third, 5) == list(range(80, 85))
    group.leave(third)
    assert group.observer.lost == 20
    assert group.cluster.lag(group.topic, group.kafka.group)[0].expired == 20


def test_a_log_that_expired_to_its_end_is_counted_too(apache_kafka: Kafka) -> None:
    """If every record expired, the end of the partition shows the gap, and they are counted."""
    group = _Group(apache_kafka.address)
    group.fill(10)
    member = group.member()
    group.read(member, 10)
    group.leave(member)
    group.fill(20, start=10)
    _delete(group, 30)
    again = group.member()
    _until(lambda: again.poll() is None and group.observer.lost == 20)
    group.leave(again)
    assert group.cluster.lag(group.topic, group.kafka.group)[0].lag == 0


def test_the_lag_after_a_recreation_is_all_of_the_new_topic(apache_kafka: Kafka) -> None:
    """The group's old offset lies beyond the end of the new topic, but doesn't make its lag 0."""
    group = _Group(apache_kafka.address)
    group.fill(30)
    member = group.member()
    group.read(member, 30)
    group.leave(member)
    group.recreate()
    group.fill(10)
    (lag,) = group.cluster.lag(group.topic, group.kafka.group)
    assert (lag.committed, lag.lag, lag.expired) == (None, 10, 0)


def _delete(group: _Group, before: int) -> None:
    (deleted,) = group.admin.delete_records([TopicPartition(group.topic, 0, before)]).values()
    assert deleted.result(_PATIENCE_S).low_watermark == before


def test_a_watch_asks_again_only_when_it_is_time(apache_kafka: Kafka) -> None:
    """A watch asks the broker once an interval, and doesn't wait for the answer."""
    group = _Group(apache_kafka.address)
    watch = open_topic_watch(group.kafka, group.topic)
    now = [0.0]
    timed = TopicWatch(watch._client, group.topic, "other", clock=lambda: now[0])
    assert not timed.changed()
    now[0] = 6.0
    assert not timed.changed()
    _until(timed.changed)
    assert timed.changed_now()
    assert not watch.changed_now()


# --- mutants


def test_a_reader_that_looks_at_no_id_skips_records(apache_kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutant: a reader that ignores topic ids skips records, so the test of a recreated topic would fail.

    There are several tries: on a busy machine the client may ask before the new topic has that many records, and the
    broker then sends it to the beginning.
    """
    monkeypatch.setattr(TopicWatch, "changed", lambda _self: False)
    monkeypatch.setattr(GroupHistory, "_is_foreign", lambda _self, _found: False)
    assert any(_first_after_recreation(apache_kafka) == 300 for _try in range(10))


def _first_after_recreation(kafka: Kafka) -> int:
    group = _Group(kafka.address)
    group.fill(300)
    member = group.member()
    group.read(member, 300)
    group.recreate()
    group.fill(1_000)
    try:
        return min(group.read(member, 700))
    except FatalError:  # the records that it has read come again
        return 0
    finally:
        group.leave(member)


def test_a_reader_that_explains_no_gap_counts_nothing(apache_kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutant: a reader that ignores gaps counts nothing, so the test of expired records would fail."""
    monkeypatch.setattr(GroupHistory, "explain", lambda _self, _client, _gaps: None)
    group = _Group(apache_kafka.address)
    group.fill(10)
    member = group.member()
    group.read(member, 10)
    group.leave(member)
    group.fill(40, start=10)
    _delete(group, 30)
    again = group.member()
    group.read(again, 20)
    group.leave(again)
    assert group.observer.lost == 0
    assert group.cluster.lag(group.topic, group.kafka.group)[0].expired == 0
