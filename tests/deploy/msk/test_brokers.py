"""Three brokers of Apache Kafka under the shipped files: they have the settings, the topics, and keep out what they
should; one with a weakened setting is caught."""

from collections.abc import Callable

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported, not declared
    AdminClient,
    ConfigResource,
    ResourceType,
)

from connectors.kafka.topics import load_topics
from tests.deploy.msk.guards import a_stranger_is_kept_out, nothing_comes_unasked
from tests.e2e.world import World
from tests.rigs.kafka import KafkaCluster, start_cluster
from tests.rigs.kafka.cluster import NODES
from tests.rigs.kafka.shipped import shipped_properties

_AUTHORIZERS = "allow.everyone.if.no.acl.found"
GUARDS = (nothing_comes_unasked, a_stranger_is_kept_out)


def _config(cluster: KafkaCluster, kind: ResourceType, name: str) -> dict[str, str]:
    admin = AdminClient({"bootstrap.servers": cluster.address})
    (future,) = admin.describe_configs([ConfigResource(kind, name)]).values()
    return {found.name: found.value for found in future.result(30).values()}


@pytest.mark.parametrize("node", NODES)
def test_every_broker_says_that_it_has_the_shipped_settings(kafka_cluster: KafkaCluster, node: int) -> None:
    """All of them: what the cluster of the tests needs beside them changes none. The authorizer's no broker tells."""
    told = _config(kafka_cluster, ResourceType.BROKER, str(node))
    wanted = {name: value for name, value in shipped_properties().items() if name != _AUTHORIZERS}
    assert {name: told.get(name) for name in wanted} == wanted


def test_topics_are_made_as_declared(kafka_cluster: KafkaCluster, tmp_path: object) -> None:
    """Partitions, copies and settings of topics.yaml, as the brokers tell them."""
    world = World(kafka_cluster.address, tmp_path, declared=True)  # type: ignore[arg-type]
    kafka_cluster.wait_told()
    for spec in load_topics(None, names=world.settings.topics):
        assert world.cluster.topics()[spec.name] == spec.partitions
        assert len(kafka_cluster.in_sync(spec.name)) == spec.replication
        told = _config(kafka_cluster, ResourceType.TOPIC, spec.name)
        assert {name: told[name] for name in spec.config} == spec.config


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.__name__)
def test_what_is_to_be_kept_out_is(kafka_cluster: KafkaCluster, guard: Callable[[KafkaCluster], None]) -> None:
    """The guard's own docstring says it."""
    guard(kafka_cluster)


def test_a_weakened_configuration_is_caught(kafka_cluster: KafkaCluster) -> None:
    """A broker with topics made unasked, open to whoever has no rule, fails both guards."""
    del kafka_cluster  # it comes last in a run, and so does this
    weak = {
        "auto.create.topics.enable": "true",
        "allow.everyone.if.no.acl.found": "true",
        "default.replication.factor": "1",  # it is alone
        "min.insync.replicas": "1",
    }
    with start_cluster([1], changes=weak) as broker:
        for guard in GUARDS:
            with pytest.raises(AssertionError):
                guard(broker)
