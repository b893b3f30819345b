"""The compose file works without Docker: its settings start a real Kafka, and its commands start real workers."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from confluent_kafka.admin import AdminClient

from connectors.kafka.admin import open_cluster
from connectors.kafka.producer import Outgoing, open_sender
from core.settings import KafkaSettings
from local.ports import free_port
from synthetic.tickets import events
from tests.deploy.compose.project import Service, read, services, workers
from tests.deploy.tools import ROOT
from tests.rigs.guard import guard
from tests.rigs.kafka.archive import quick_java
from tests.rigs.kafka.node import Node, format_all
from tests.rigs.qdrant_facade import FacadeProcess
from tests.rigs.waiting import PATIENCE_S, wait_until

_SIZES: Final[dict[str, Any]] = yaml.safe_load((ROOT / "deploy" / "sizes.yaml").read_text())
_TICKETS: Final = 100

#: Addresses on this machine by the containers' addresses.
Addresses = dict[str, str]


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    """Apache Kafka with the file's settings, except its addresses and log folder."""
    java = quick_java(384)
    addresses = {name: f"127.0.0.1:{free_port()}" for name in ("kafka:19092", "localhost:9092", "kafka:9093")}
    folder = tmp_path_factory.mktemp("kafka")
    settings = _properties(read()["services"]["kafka"]["environment"])
    for option in ("listeners", "advertised.listeners", "controller.quorum.voters"):
        settings[option] = _here(
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
        _make_topics(there["topics"], addresses)
        processes = {}
        for service in roles.values():
            port = str(free_port())
            processes[port] = running.enter_context(Worker(service, addresses, port, tmp_path / f"{port}.log"))
        for port, process in processes.items():
            _wait_ready(port, process, tmp_path / f"{port}.log")
        _produce(addresses["localhost:9092"])
        wait_until(
            lambda: qdrant.counts().points_written >= _TICKETS,
            lambda: f"{qdrant.counts().points_written} points after {_TICKETS} tickets",
        )
        for port, process in processes.items():
            process.terminate()
            assert process.wait(PATIENCE_S) == 0, (tmp_path / f"{port}.log").read_text()


def test_the_topics_are_those_declared_with_one_copy(kafka: Addresses) -> None:
    """The service `topics` creates the declared topics with replication 1."""
    _make_topics(services()["topics"], kafka)
    declared = yaml.safe_load((ROOT / "deploy" / "k8s-ecs" / "msk" / "topics.yaml").read_text())["topics"]
    found = open_cluster(KafkaSettings(brokers=kafka["localhost:9092"])).topics()
    assert {name: found.get(name) for name in (topic["name"] for topic in declared)} == {
        topic["name"]: topic["partitions"] for topic in declared
    }


@pytest.mark.parametrize("name", ["kafka:19092", "localhost:9092"])
def test_a_client_gets_the_address_of_its_listener(kafka: Addresses, name: str) -> None:
    """A client inside the network gets the container's name, and one on this machine gets localhost."""
    client = AdminClient({"bootstrap.servers": kafka[name]})
    (broker,) = client.list_topics(timeout=PATIENCE_S).brokers.values()
    assert f"{broker.host}:{broker.port}" == kafka[name]


def _properties(environment: dict[str, str]) -> dict[str, str]:
    """The server.properties that Kafka's image makes from its environment."""
    return {
        name.removeprefix("KAFKA_").lower().replace("_", "."): value
        for name, value in environment.items()
        if name != "KAFKA_HEAP_OPTS"
    }


def _here(text: str, addresses: Addresses) -> str:
    """`text` with addresses on this machine in place of the containers'."""
    for name, address in addresses.items():
        text = text.replace(name, address)
    return text


def _environment(service: Service, addresses: Addresses) -> dict[str, str]:
    return {"PATH": str(Path(sys.executable).parent), "TICKETS_MODEL__NAME": "hashing"} | {
        name: _here(value, addresses) for name, value in service["environment"].items()
    }


def _make_topics(service: Service, addresses: Addresses) -> None:
    command = [str(Path(sys.executable).with_name(service["entrypoint"][0])), *service["command"]]
    environment = _environment(service, addresses)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr


class Worker:
    """A worker process: the image's entry point with the service's command."""

    def __init__(self, service: Service, addresses: Addresses, port: str, log: Path) -> None:
        environment = _environment(service, addresses) | {"TICKETS_HEALTH__PORT": port}
        command = [sys.executable, "-m", "bytewax.run", *service["command"]]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=ROOT
            )
        self._guard = guard(self._process.pid)

    def __enter__(self) -> "subprocess.Popen[bytes]":
        return self._process

    def __exit__(self, *_exc: object) -> None:
        self._process.kill()
        self._process.wait(PATIENCE_S)
        self._guard.kill()
        self._guard.communicate()


def _wait_ready(port: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{_SIZES['health']['ready']}", timeout=PATIENCE_S).close()
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        else:
            return


def _produce(brokers: str) -> None:
    sender = open_sender(KafkaSettings(brokers=brokers))
    made = events(_TICKETS, edits=0, deletes=0, duplicates=0)
    sender.send([Outgoing("tickets.raw", record.key, record.value, record.headers) for record in made])
    sender.close()
