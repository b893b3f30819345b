"""Asking a cluster: what comes of a broker that is out, starting, silent, or shut to us."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import KafkaError, KafkaException

from connectors.kafka.admin import open_cluster
from core.errors import UnavailableError
from core.settings import KafkaSettings
from tests.rigs.kafka import PASSWORD, Kafka


def test_a_broker_that_is_not_there_is_one_line_in_time() -> None:
    """Where we looked, and which variable to set."""
    cluster = open_cluster(KafkaSettings(brokers="127.0.0.1:1", startup_timeout_s=1))
    began = time.monotonic()
    with pytest.raises(UnavailableError, match=r"no broker answers at 127.0.0.1:1 .*TICKETS_KAFKA__BROKERS"):
        cluster.topics()
    assert time.monotonic() - began < 10


def test_a_coordinator_that_is_about_to_be_there_is_waited_for(tansu: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that has just started says that it is not the one; a moment later it is."""
    cluster, topic = open_cluster(KafkaSettings(brokers=tansu)), f"topic-{uuid4().hex[:8]}"
    cluster.create_topic(topic, partitions=1, replication=1, config={})
    answers: list[int] = [KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_LOAD_IN_PROGRESS]
    member = cluster._member("anybody")

    class Starting:
        def committed(self, *asked: Any) -> Any:
            if answers:
                raise KafkaException(KafkaError(answers.pop(0)))
            return member.committed(*asked)

    monkeypatch.setattr(cluster, "_member", lambda _group: Starting())
    assert {lag.committed for lag in cluster.lag(topic, "anybody")} == {None}
    assert answers == []


def test_a_broker_that_falls_silent_is_one_line(tansu: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It listed the topics, and says nothing of the offsets."""
    cluster = open_cluster(KafkaSettings(brokers=tansu, startup_timeout_s=1))

    class _Silent:
        def list_offsets(self, asked: Any) -> dict[Any, Future[Any]]:
            return {partition: Future() for partition in asked}

    monkeypatch.setattr(cluster, "_admin", _Silent())
    monkeypatch.setattr(cluster, "require_topics", lambda _names: {"silent": 1})
    with pytest.raises(UnavailableError, match="no answer in 1 s"):
        cluster.lag("silent", "g")


def test_a_topic_that_is_not_there_is_one_line(tansu: str) -> None:
    """With the command that creates it."""
    with pytest.raises(UnavailableError, match="has no topic nowhere; `ticketstream topics`"):
        open_cluster(KafkaSettings(brokers=tansu)).require_topics(["nowhere"])


def test_a_topic_that_spreads_is_waited_for(tansu: str) -> None:
    """The broker that is asked hears of a new topic a moment after the one that made it."""
    cluster, name = open_cluster(KafkaSettings(brokers=tansu)), f"topic-{uuid4().hex[:8]}"
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(cluster.require_topics, [name])
        time.sleep(0.3)
        cluster.create_topic(name, partitions=3, replication=1, config={})
        assert asked.result() == {name: 3}


def test_a_right_password_is_let_in(apache_kafka: Kafka) -> None:
    """Over SASL."""
    assert open_cluster(apache_kafka.login(PASSWORD)).brokers() == 1


def test_a_wrong_password_is_one_line_at_once(apache_kafka: Kafka) -> None:
    """A refusal is told as one, without waiting the start-up time out, and which settings to look at."""
    began = time.monotonic()
    with pytest.raises(UnavailableError, match=r"refuses us: .*TICKETS_KAFKA__SASL_"):
        open_cluster(apache_kafka.login("wrong")).topics()
    assert time.monotonic() - began < 10
