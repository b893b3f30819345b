"""The compose file works without Docker: its settings start a real Kafka, and its commands start real workers."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
import yaml
from confluent_kafka.admin import AdminClient

from connectors.cache.redis_client import open_redis
from connectors.kafka.admin import open_cluster
from core.settings import KafkaSettings
from local.issuer import open_issuer
from local.ports import free_port
from tests.deploy.compose.acting import (
    TICKETS,
    Addresses,
    Worker,
    here,
    make_topics,
    produce,
    properties,
    wait_ready,
)
from tests.deploy.compose.project import read, services, workers
from tests.deploy.tools import ROOT
from tests.rigs.kafka.archive import quick_java
from tests.rigs.kafka.node import Node, format_all
from tests.rigs.qdrant_facade import FacadeProcess
from tests.rigs.redis_server import start_valkey
from tests.rigs.waiting import PATIENCE_S, wait_until


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    """Apache Kafka with the file's settings, except its addresses and log folder."""
    java = quick_java(384)
    addresses = {name: f"127.0.0.1:{free_port()}" for name in ("kafka:19092", "localhost:9092", "kafka:9093")}
    folder = tmp_path_factory.mktemp("kafka")
    settings = properties(read()["services"]["kafka"]["environment"])
    for option in ("listeners", "advertised.listeners", "controller.quorum.voters"):
        settings[option] = here(
            settings[option].replace("//:9092", "//localhost:9092").replace("//:", "//kafka:"), addresses
        )
    settings["log.dirs"] = str(folder / "data")
    node = Node(folder, addresses["kafka:19092"], settings, java=java)
    try:
        format_all(node)
        node.start()
        node.wait_ready()
        yield addresses
    finally:
        node.kill()


@pytest.mark.parametrize("profile", ["single", "split"])
def test_a_profile_indexes_tickets_of_this_machine(kafka: Addresses, profile: str, tmp_path: Path) -> None:
    """Each worker gets ready, tickets produced on this machine reach the index, and SIGTERM drains each worker."""
    roles = {name: service for name, service in services(profile).items() if name in workers()}
    there = services(profile)
    with FacadeProcess(tmp_path / "qdrant") as qdrant, ExitStack() as running:
        addresses = kafka | {"http://qdrant:6334": qdrant.url}
        make_topics(there["topics"], addresses)
        processes = {}
        for service in roles.values():
            port = str(free_port())
            processes[port] = running.enter_context(Worker(service, addresses, port, tmp_path / f"{port}.log"))
        for port, process in processes.items():
            wait_ready(port, process, tmp_path / f"{port}.log")
        produce(KafkaSettings(brokers=addresses["localhost:9092"]))
        wait_until(
            lambda: qdrant.counts().points_written >= TICKETS,
            lambda: f"{qdrant.counts().points_written} points after {TICKETS} tickets",
        )
        for port, process in processes.items():
            process.terminate()
            assert process.wait(PATIENCE_S) == 0, (tmp_path / f"{port}.log").read_text()


def test_the_topics_are_those_declared_with_one_copy(kafka: Addresses) -> None:
    """The service `topics` creates the declared topics with replication 1."""
    make_topics(services()["topics"], kafka)
    declared = yaml.safe_load((ROOT / "deploy" / "k8s-ecs" / "msk" / "topics.yaml").read_text())["topics"]
    found = open_cluster(KafkaSettings(brokers=kafka["localhost:9092"])).topics()
    assert {name: found.get(name) for name in (topic["name"] for topic in declared)} == {
        topic["name"]: topic["partitions"] for topic in declared
    }


def test_the_ticket_api_sends_a_ticket_of_this_machine(kafka: Addresses, tmp_path: Path) -> None:
    """With the file's settings the ticket API sends a new ticket to Kafka, counts in the cache, and ends on SIGTERM."""
    there = services("single", "services")
    with ExitStack() as running:
        redis, issuer = running.enter_context(start_valkey()), open_issuer(running)
        addresses = kafka | {"redis:6379": redis.address}
        make_topics(there["topics"], addresses)
        port, log = str(free_port()), tmp_path / "tickets.log"
        own = {"TICKETS_API__HOST": "127.0.0.1", "TICKETS_API__PORT": port, "TICKETS_API__PATH": f"{tmp_path}/t.db"}
        process = running.enter_context(Worker(there["tickets"], addresses, port, log, settings=own | issuer.variables))
        wait_ready(port, process, log)
        headers = {"Authorization": f"Bearer {issuer.token('acme', 'u-1', ['agent'])}"}
        url = f"http://127.0.0.1:{port}/api/v1/tickets"
        created = httpx.post(url, json={"subject": "VPN", "body": "It fails."}, headers=headers, timeout=PATIENCE_S)
        assert created.status_code == 201, created.text
        metrics = f"http://127.0.0.1:{port}/metrics"
        wait_until(
            lambda: "tickets_outbox_sent_total 1.0" in httpx.get(metrics, timeout=PATIENCE_S).text, log.read_text
        )
        with ExitStack() as stack:
            counted = open_redis(redis.settings, stack).call(lambda client: client.keys("ticketstream:limit:*"))
        assert counted
        process.terminate()
        assert process.wait(PATIENCE_S) == 0, log.read_text()


@pytest.mark.parametrize("name", ["kafka:19092", "localhost:9092"])
def test_a_client_gets_the_address_of_its_listener(kafka: Addresses, name: str) -> None:
    """A client inside the network gets the container's name, and one on this machine gets localhost."""
    client = AdminClient({"bootstrap.servers": kafka[name]})
    (broker,) = client.list_topics(timeout=PATIENCE_S).brokers.values()
    assert f"{broker.host}:{broker.port}" == kafka[name]
