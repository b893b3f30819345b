"""Three brokers of Apache Kafka with the shipped files have their settings and topics, and deny unauthorised access."""

from collections.abc import Callable

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported, not declared
    AdminClient,
    ConfigResource,
    ResourceType,
)

from connectors.kafka.topics import load_topics
from tests.deploy.msk.guards import topics_are_not_auto_created, users_without_acls_are_denied
from tests.e2e.world import World
from tests.rigs.kafka import KafkaCluster, start_cluster
from tests.rigs.kafka.cluster import NODES
from tests.rigs.kafka.shipped import shipped_properties
from tests.rigs.waiting import PATIENCE_S

_AUTHORIZERS = "allow.everyone.if.no.acl.found"
GUARDS = (topics_are_not_auto_created, users_without_acls_are_denied)


def _config(cluster: KafkaCluster, kind: ResourceType, name: str) -> dict[str, str]:
    admin = AdminClient({"bootstrap.servers": cluster.address})
    (future,) = admin.describe_configs([ConfigResource(kind, name)]).values()
    return {found.name: found.value for found in future.result(PATIENCE_S).values()}


@pytest.mark.parametrize("node", NODES)
def test_every_broker_reports_the_shipped_settings(kafka_cluster: KafkaCluster, node: int) -> None:
    """Every broker reports every shipped setting, except the authorizer's, which no broker reports."""
    reported = _config(kafka_cluster, ResourceType.BROKER, str(node))
    wanted = {name: value for name, value in shipped_properties().items() if name != _AUTHORIZERS}
    assert {name: reported.get(name) for name in wanted} == wanted


def test_topics_are_created_as_declared(kafka_cluster: KafkaCluster, tmp_path: object) -> None:
    """The brokers report the partitions, copies and settings of topics.yaml."""
    world = World(kafka_cluster.address, tmp_path, declared=True)  # type: ignore[arg-type]
    kafka_cluster.wait_metadata()
    for spec in load_topics(None, names=world.settings.topics):
        assert world.cluster.topics()[spec.name] == spec.partitions
        assert len(kafka_cluster.in_sync(spec.name)) == spec.replication
        reported = _config(kafka_cluster, ResourceType.TOPIC, spec.name)
        assert {name: reported[name] for name in spec.config} == spec.config


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.__name__)
def test_a_guard_passes(kafka_cluster: KafkaCluster, guard: Callable[[KafkaCluster], None]) -> None:
    """Each guard passes on the shipped configuration."""
    guard(kafka_cluster)


def test_a_weakened_configuration_fails_the_guards(kafka_cluster: KafkaCluster) -> None:
    """A broker that creates topics automatically and is open without ACLs fails both guards."""
    del kafka_cluster  # this fixture makes the test run last, with the others of the cluster
    weak = {
        "auto.create.topics.enable": "true",
        "allow.everyone.if.no.acl.found": "true",
        "default.replication.factor": "1",  # there is one broker
        "min.insync.replicas": "1",
    }
    with start_cluster([1], changes=weak) as broker:
        for guard in GUARDS:
            with pytest.raises(AssertionError):
                guard(broker)
