"""Access checks for the shipped broker configuration and its mutants; each raises AssertionError."""

from uuid import uuid4

from confluent_kafka import KafkaError, Producer

from connectors.kafka.admin import open_cluster
from connectors.kafka.options import producer_options
from core.settings import KafkaSettings
from tests.rigs.kafka import KafkaCluster
from tests.rigs.waiting import PATIENCE_S

#: A client retries a topic that it doesn't know for as long as a delivery may take.
_DELIVERY_S = 6.0


def topics_are_not_auto_created(cluster: KafkaCluster) -> None:
    """A record for a missing topic is refused, and no topic is created."""
    settings = KafkaSettings(brokers=cluster.address)
    name = f"misspelt-{uuid4().hex[:8]}"
    assert _write(settings, name, delivery_s=_DELIVERY_S) is not None
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


def _write(settings: KafkaSettings, topic: str, *, delivery_s: float = PATIENCE_S) -> KafkaError | None:
    """The error of a record that is written to `topic`; None if it is accepted."""
    producer = Producer(producer_options(settings) | {"delivery.timeout.ms": int(delivery_s * 1000)})
    met: list[KafkaError | None] = []
    producer.produce(topic, b"value", on_delivery=lambda error, _message: met.append(error))
    assert producer.flush(2 * PATIENCE_S) == 0, "no report"
    return met[0]
