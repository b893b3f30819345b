"""Access checks for the shipped broker configuration and its mutants; each raises AssertionError."""

import time
from uuid import uuid4

from confluent_kafka import KafkaError, Producer

from connectors.kafka.admin import open_cluster
from connectors.kafka.options import producer_options
from core.settings import KafkaSettings
from tests.rigs.kafka import KafkaCluster

_PATIENCE_S = 6.0


def topics_are_not_auto_created(cluster: KafkaCluster) -> None:
    """A record for a missing topic is refused, and no topic is created."""
    settings = KafkaSettings(brokers=cluster.address)
    name = f"misspelt-{uuid4().hex[:8]}"
    error = _write(settings, name)
    assert error is not None
    assert name not in open_cluster(settings).topics()


def users_without_acls_are_denied(cluster: KafkaCluster) -> None:
    """A user with a password and without ACLs sees no topic and writes no record."""
    admin = open_cluster(KafkaSettings(brokers=cluster.address))
    name = f"closed-{uuid4().hex[:8]}"
    admin.create_topic(name, partitions=1, replication=-1, config={})
    stranger = stranger_of(cluster)
    assert open_cluster(stranger).topics() == {}
    error = _write(stranger, name)
    assert error is not None
    assert error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED, error


def stranger_of(cluster: KafkaCluster) -> KafkaSettings:
    """Settings of a user without ACLs."""
    secured = cluster.secrets.settings("SASL_SSL", "stranger")
    return KafkaSettings(brokers=cluster.listener("SASL_SSL"), **secured)


def _write(settings: KafkaSettings, topic: str) -> KafkaError | None:
    """The error of a record that is written to `topic`; None if it is accepted."""
    producer = Producer(producer_options(settings) | {"delivery.timeout.ms": int(_PATIENCE_S * 1000)})
    met: list[KafkaError | None] = []
    producer.produce(topic, b"value", on_delivery=lambda error, _message: met.append(error))
    deadline = time.monotonic() + _PATIENCE_S + 5
    while not met:
        assert time.monotonic() < deadline, "no report"
        producer.poll(0.1)
    return met[0]
