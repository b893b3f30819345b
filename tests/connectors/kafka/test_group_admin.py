"""Offsets of a group whose coordinator is starting, or whose broker is silent."""

from collections.abc import Mapping
from concurrent.futures import Future
from uuid import uuid4

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from connectors.kafka.admin import open_cluster
from core.errors import UnavailableError
from core.settings import KafkaSettings


def test_a_starting_coordinator_is_waited_for(tansu: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors of a coordinator that is starting are retried."""
    cluster, topic = open_cluster(KafkaSettings(brokers=tansu)), f"topic-{uuid4().hex[:8]}"
    cluster.create_topic(topic, partitions=1, replication=1, config={})
    answers: list[int] = [KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_LOAD_IN_PROGRESS]
    member = cluster._groups._member("anybody")

    class Starting:
        def committed(self, partitions: list[TopicPartition], timeout_s: float) -> list[TopicPartition]:
            if answers:
                raise KafkaException(KafkaError(answers.pop(0)))
            return member.committed(partitions, timeout_s)

    monkeypatch.setattr(cluster._groups, "_member", lambda _group: Starting())
    assert {lag.committed for lag in cluster.lag(topic, "anybody")} == {None}
    assert answers == []


def test_offsets_of_an_earlier_topic_of_the_name_do_not_count(tansu: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a topic was created again, its lag is that of a group that has committed nothing."""
    cluster, topic = open_cluster(KafkaSettings(brokers=tansu)), f"topic-{uuid4().hex[:8]}"
    cluster.create_topic(topic, partitions=3, replication=1, config={})
    own = cluster.identify(topic).topic_id
    notes = {0: "topic=old expired=7", 1: f"topic={own} expired=2", 2: ""}

    class _Member:
        def committed(self, asked: list[TopicPartition], _timeout_s: float) -> list[TopicPartition]:
            return [TopicPartition(topic, one.partition, 40, notes[one.partition]) for one in asked]

    monkeypatch.setattr(cluster._groups, "_member", lambda _group: _Member())
    found = [(lag.committed, lag.noted, lag.topic_id) for lag in cluster.lag(topic, "anybody")]
    assert found == [(None, 0, None), (40, 2, own), (40, 0, None)]


def test_a_broker_that_lists_no_offsets_is_one_line(tansu: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that lists topics and doesn't answer for offsets is a one-line error."""
    cluster = open_cluster(KafkaSettings(brokers=tansu, startup_timeout_s=1))

    class _Silent:
        def list_offsets(self, asked: Mapping[TopicPartition, object]) -> dict[TopicPartition, Future[object]]:
            return {partition: Future() for partition in asked}

    monkeypatch.setattr(cluster._groups, "_admin", _Silent())
    with pytest.raises(UnavailableError, match="no answer in 1 s"):
        cluster._groups.lag("silent", "g", partitions=1)
