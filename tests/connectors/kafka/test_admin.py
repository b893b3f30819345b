"""Administration of a cluster whose broker is down, starting, silent, or refuses us."""

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from uuid import uuid4

import pytest
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]  # exported, not declared

from connectors.kafka.admin import open_cluster
from core.errors import UnavailableError
from core.settings import KafkaSettings
from tests.rigs.calm import calm_clock
from tests.rigs.kafka import PASSWORD, Kafka


def test_an_unreachable_broker_is_one_line_in_time() -> None:
    """An unreachable broker is a one-line error with the address, and the variable to set."""
    cluster = open_cluster(KafkaSettings(brokers="127.0.0.1:1", startup_timeout_s=1))
    began = calm_clock()
    with pytest.raises(UnavailableError, match=r"no broker answers at 127.0.0.1:1 .*TICKETS_KAFKA__BROKERS"):
        cluster.topics()
    assert calm_clock() - began < 10


def test_a_broker_that_stops_answering_is_one_line(tansu: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that lists topics and doesn't create one is a one-line error."""
    cluster = open_cluster(KafkaSettings(brokers=tansu, startup_timeout_s=1))

    class _Silent:
        def create_topics(self, asked: Sequence[NewTopic]) -> dict[str, Future[object]]:
            return {topic.topic: Future() for topic in asked}

    monkeypatch.setattr(cluster, "_admin", _Silent())
    with pytest.raises(UnavailableError, match="creating topic silent: no answer in time"):
        cluster.create_topic("silent", partitions=1, replication=1, config={})


def test_a_missing_topic_is_one_line(tansu: str) -> None:
    """A missing topic is a one-line error with the command that creates it."""
    with pytest.raises(UnavailableError, match="has no topic nowhere; `ticketstream topics`"):
        open_cluster(KafkaSettings(brokers=tansu)).require_topics(["nowhere"])


def test_a_new_topic_is_waited_for(tansu: str) -> None:
    """A missing topic is looked up again, since a new one takes a moment to spread."""
    cluster, name = open_cluster(KafkaSettings(brokers=tansu)), f"topic-{uuid4().hex[:8]}"
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(cluster.require_topics, [name])
        time.sleep(0.3)
        cluster.create_topic(name, partitions=3, replication=1, config={})
        assert asked.result() == {name: 3}


def test_a_correct_password_is_accepted(apache_kafka: Kafka) -> None:
    """A client with the correct SASL password can list the brokers."""
    assert open_cluster(apache_kafka.login(PASSWORD)).brokers() == 1


def test_a_wrong_password_is_one_line_at_once(apache_kafka: Kafka) -> None:
    """A wrong password fails before the start-up timeout, with the settings to check."""
    began = calm_clock()
    with pytest.raises(UnavailableError, match=r"refuses us: .*TICKETS_KAFKA__SASL_"):
        open_cluster(apache_kafka.login("wrong")).topics()
    assert calm_clock() - began < 10
