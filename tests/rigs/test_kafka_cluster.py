"""The Kafka cluster injects broker faults, reports leaders and recovers."""

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from confluent_kafka import Producer

from connectors.kafka.admin import open_cluster
from connectors.kafka.reader import read_topic
from core.settings import KafkaSettings
from tests.rigs.calm import calm_clock
from tests.rigs.kafka import KafkaCluster
from tests.rigs.kafka.cluster import NODES
from tests.rigs.waiting import PATIENCE_S, wait_until


@pytest.fixture
def topic(kafka_cluster: KafkaCluster) -> str:
    """A topic with one partition and the shipped replication and minimum of in-sync replicas."""
    name = f"t-{uuid4().hex[:8]}"
    open_cluster(KafkaSettings(brokers=kafka_cluster.address)).create_topic(
        name, partitions=1, replication=-1, config={}
    )
    kafka_cluster.wait_metadata()
    return name


def _write(
    cluster: KafkaCluster, topic: str, *values: bytes, timeout_s: float = PATIENCE_S, proxied: bool = False
) -> list[bytes | None]:
    """Write `values` with acks=all, and return the acked ones."""
    acked: list[bytes | None] = []
    address = cluster.proxied if proxied else cluster.address
    options = {"bootstrap.servers": address, "acks": "all", "log_level": 0}
    producer = Producer({**options, "message.timeout.ms": int(timeout_s * 1000), "reconnect.backoff.max.ms": 500})
    for value in values:
        producer.produce(
            topic, value, on_delivery=lambda error, message: None if error else acked.append(message.value())
        )
    producer.flush(timeout_s + 5)
    return acked


def _read(cluster: KafkaCluster, topic: str) -> list[bytes | None]:
    return [record.value for record in read_topic(KafkaSettings(brokers=cluster.address), topic, partitions=1)]


def _leader(cluster: KafkaCluster, topic: str, *, but: int | None = None) -> int:
    wait_until(lambda: cluster.leader(topic) not in {None, but}, lambda: f"no leader but {but}", every_s=0.1)
    found = cluster.leader(topic)
    assert found is not None
    return found


def test_a_killed_leader_is_replaced_and_no_acked_record_is_lost(kafka_cluster: KafkaCluster, topic: str) -> None:
    """After a leader is killed another replica is elected; writes continue, and the restarted node rejoins."""
    first = _leader(kafka_cluster, topic)
    acked = _write(kafka_cluster, topic, b"1", b"2")
    kafka_cluster.kill(first)
    assert kafka_cluster.pid(first) is None
    began = time.monotonic()
    second = _leader(kafka_cluster, topic, but=first)
    assert time.monotonic() - began > 1, "only the broker session timeout reveals a killed leader"
    assert first not in kafka_cluster.in_sync(topic)
    acked += _write(kafka_cluster, topic, b"3")
    kafka_cluster.restart(first)
    wait_until(lambda: kafka_cluster.in_sync(topic) == list(NODES), lambda: "the restarted one is not in sync")
    assert second != first
    assert acked == _read(kafka_cluster, topic) == [b"1", b"2", b"3"]


def test_a_killed_controller_is_replaced(kafka_cluster: KafkaCluster) -> None:
    """After the active controller is killed another one becomes active, and topics can be created."""
    first = kafka_cluster.controller()
    kafka_cluster.kill(first)
    second = kafka_cluster.controller()
    assert second != first
    name = f"t-{uuid4().hex[:8]}"
    wait_until(lambda: _can_create(kafka_cluster, name), lambda: "no topic can be made")
    kafka_cluster.heal()
    assert kafka_cluster.running == list(NODES)


def _can_create(cluster: KafkaCluster, name: str) -> bool:
    admin = open_cluster(KafkaSettings(brokers=cluster.address))
    try:
        admin.create_topic(name, partitions=1, replication=2, config={})
    except Exception:  # noqa: BLE001 - any error is retried
        return False
    return name in admin.topics()


def test_exactly_one_controller_is_active(kafka_cluster: KafkaCluster) -> None:
    """Exactly one node reports that it is the active controller."""
    assert len({kafka_cluster.controller() for _ in range(5)}) == 1
    alone = [node for node in NODES if kafka_cluster.is_active_controller(node)]
    assert alone == [kafka_cluster.controller()]


def test_with_one_of_three_nothing_is_acked(kafka_cluster: KafkaCluster, topic: str) -> None:
    """With one node no write is acked; a waiting write is acked once the others return, and no acked record is lost."""
    acked = _write(kafka_cluster, topic, b"before")
    down = [node for node in NODES if node != _leader(kafka_cluster, topic)]
    kafka_cluster.kill(*down)
    assert kafka_cluster.running == [node for node in NODES if node not in down]
    with ThreadPoolExecutor() as pool:
        patient = pool.submit(_write, kafka_cluster, topic, b"patient", timeout_s=PATIENCE_S)
        assert _write(kafka_cluster, topic, b"meanwhile", timeout_s=6) == []
        assert not patient.done()
        kafka_cluster.restart(*down)
        acked += patient.result()
    kafka_cluster.wait_whole()
    acked += _write(kafka_cluster, topic, b"after")
    assert acked == [b"before", b"patient", b"after"]
    assert set(acked) <= set(_read(kafka_cluster, topic))


def test_a_terminated_leader_transfers_leadership_first(kafka_cluster: KafkaCluster, topic: str) -> None:
    """A terminated leader transfers its leadership before it exits, so nothing waits for the session timeout."""
    first = _leader(kafka_cluster, topic)
    kafka_cluster.terminate(first)
    began = calm_clock()
    _leader(kafka_cluster, topic, but=first)
    assert calm_clock() - began < 2
    assert _write(kafka_cluster, topic, b"1") == [b"1"]


def test_a_paused_leader_is_replaced_and_rejoins(kafka_cluster: KafkaCluster, topic: str) -> None:
    """While a leader is paused another one leads; resumed, it is in sync again with the same log."""
    first = _leader(kafka_cluster, topic)
    acked = _write(kafka_cluster, topic, b"1")
    kafka_cluster.pause(first)
    _leader(kafka_cluster, topic, but=first)
    assert kafka_cluster.pid(first) is not None
    acked += _write(kafka_cluster, topic, b"2")
    kafka_cluster.resume(first)
    wait_until(lambda: kafka_cluster.in_sync(topic) == list(NODES), lambda: "the resumed one is not in sync")
    assert acked == _read(kafka_cluster, topic) == [b"1", b"2"]


def test_clients_go_through_the_proxies_and_brokers_do_not(kafka_cluster: KafkaCluster, topic: str) -> None:
    """With the leader's proxy half open no write is acked, although replicas stay in sync; `heal` restores writes."""
    assert _write(kafka_cluster, topic, b"1", proxied=True) == [b"1"]
    leader = _leader(kafka_cluster, topic)
    assert kafka_cluster.proxies[leader].forwarded["to_server"] > 0
    kafka_cluster.proxies[leader].half_open()
    assert _write(kafka_cluster, topic, b"2", proxied=True, timeout_s=6) == []
    assert kafka_cluster.in_sync(topic) == list(NODES)
    kafka_cluster.heal()
    assert _write(kafka_cluster, topic, b"3", proxied=True) == [b"3"]
