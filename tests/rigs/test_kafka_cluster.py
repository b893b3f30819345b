"""The cluster breaks where it is told to, says who leads, and comes back whole."""

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
    """One partition, of which nothing is said: it has the shipped replication and the shipped number in sync."""
    name = f"t-{uuid4().hex[:8]}"
    open_cluster(KafkaSettings(brokers=kafka_cluster.address)).create_topic(
        name, partitions=1, replication=-1, config={}
    )
    kafka_cluster.wait_told()
    return name


def _write(
    cluster: KafkaCluster, topic: str, *values: bytes, timeout_s: float = PATIENCE_S, proxied: bool = False
) -> list[bytes | None]:
    """Those of `values` that all in-sync replicas have acked."""
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


def test_a_killed_leader_is_followed_and_nothing_acked_is_lost(kafka_cluster: KafkaCluster, topic: str) -> None:
    """Another replica leads after a silence, writes go on with two; restarted, the killed one is in sync again."""
    first = _leader(kafka_cluster, topic)
    acked = _write(kafka_cluster, topic, b"1", b"2")
    kafka_cluster.kill(first)
    assert kafka_cluster.pid(first) is None
    began = time.monotonic()
    second = _leader(kafka_cluster, topic, but=first)
    assert time.monotonic() - began > 1, "by its silence, as it could not say goodbye"
    assert first not in kafka_cluster.in_sync(topic)
    acked += _write(kafka_cluster, topic, b"3")
    kafka_cluster.restart(first)
    wait_until(lambda: kafka_cluster.in_sync(topic) == list(NODES), lambda: "the restarted one is not in sync")
    assert second != first
    assert acked == _read(kafka_cluster, topic) == [b"1", b"2", b"3"]


def test_a_killed_controller_is_followed(kafka_cluster: KafkaCluster) -> None:
    """Another one is active, and topics can be made."""
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
    except Exception:  # noqa: BLE001 - whatever it is, it is tried again
        return False
    return name in admin.topics()


def test_the_active_controller_is_the_one_that_says_so(kafka_cluster: KafkaCluster) -> None:
    """Of the three one says so of itself, the same one each time; a broker's word names any of them."""
    assert len({kafka_cluster.controller() for _ in range(5)}) == 1
    alone = [node for node in NODES if kafka_cluster.is_active_controller(node)]
    assert alone == [kafka_cluster.controller()]


def test_with_one_of_three_nothing_is_acked(kafka_cluster: KafkaCluster, topic: str) -> None:
    """Two copies make an ack: a patient producer waits and is acked after the return, and nothing acked is lost."""
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


def test_a_terminated_leader_hands_over_first(kafka_cluster: KafkaCluster, topic: str) -> None:
    """When its process is gone another one leads already, without the wait for a silent broker."""
    first = _leader(kafka_cluster, topic)
    kafka_cluster.terminate(first)
    began = calm_clock()
    _leader(kafka_cluster, topic, but=first)
    assert calm_clock() - began < 2
    assert _write(kafka_cluster, topic, b"1") == [b"1"]


def test_a_paused_leader_is_followed_and_comes_back(kafka_cluster: KafkaCluster, topic: str) -> None:
    """Its process stays and answers nobody: another one leads; resumed, it is in sync again, and the log is one."""
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
    """With the leader's proxy half open no write gets through, while the replicas stay in sync; the heal mends it."""
    assert _write(kafka_cluster, topic, b"1", proxied=True) == [b"1"]
    leader = _leader(kafka_cluster, topic)
    assert kafka_cluster.proxies[leader].forwarded["to_server"] > 0
    kafka_cluster.proxies[leader].half_open()
    assert _write(kafka_cluster, topic, b"2", proxied=True, timeout_s=6) == []
    assert kafka_cluster.in_sync(topic) == list(NODES)
    kafka_cluster.heal()
    assert _write(kafka_cluster, topic, b"3", proxied=True) == [b"3"]
