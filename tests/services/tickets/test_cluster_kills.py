"""Changes in the table reach Apache Kafka through `TICKETS_TEST_KILLS` kills of the service and of brokers."""

import os
from pathlib import Path
from random import Random
from typing import Final

import pytest

from tests.connectors.kafka.topics import new_topic
from tests.rigs.kafka import KafkaCluster
from tests.services.tickets.brokers import Cluster
from tests.services.tickets.kills import Attack, attack

#: By default three kills: the third one comes while the topic's leader is dead.
_KILLS: Final = int(os.environ.get("TICKETS_TEST_KILLS", "3"))


@pytest.mark.timeout(0)
def test_kills_of_service_and_brokers_lose_and_reorder_nothing(kafka_cluster: KafkaCluster, tmp_path: Path) -> None:
    """Every version of every ticket is in a topic of three replicas, in order, with the table's value."""
    topic = new_topic(kafka_cluster.address, replication=3)
    rng = Random(int(os.environ.get("TICKETS_TEST_SEED") or 1))
    made = Attack(tmp_path, Cluster(kafka_cluster, topic), topic, rng)
    found = attack(made, _KILLS, say=lambda text: print(text, flush=True))
    print(dict(found))
    assert found["events"] > 0
    assert found["outage: the leader killed"] > 0
