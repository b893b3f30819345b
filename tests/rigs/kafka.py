"""Apache Kafka on this machine: its own jars under the machine's Java, one broker that is its own controller.

`python -m tests.rigs.kafka` fetches the jars. A listener with SASL/PLAIN stands beside the plain one, for tests of
refusals.
"""

import fcntl
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from msgspec import Struct

_POM: Final = Path(__file__).with_name("pom.xml")
_VERSION: Final = "4.1.1"
_START_S: Final = 60.0
_CLUSTER: Final = "MkU3OEVBNTcwNTJENDM2Qk"

USER: Final = "tests"
PASSWORD: Final = "right-password"


class Kafka(Struct, frozen=True):
    """Addresses of a running broker: without and with authentication."""

    address: str
    sasl_address: str


def jars() -> Path:
    """The folder of Kafka's jars, fetched if it isn't there.

    Skips the test with a word where Java or Maven are missing or nothing answers; fails in CI.
    """
    if shutil.which("java") is None:
        _missing("there is no java")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ticketstream-tests"
    folder = cache / f"kafka-{_VERSION}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _fetch(folder)
    return folder


@contextmanager
def start_kafka() -> Iterator[Kafka]:
    """A broker, ready; stopped at the end."""
    libraries = jars()
    with tempfile.TemporaryDirectory(prefix="kafka-") as name:
        folder = Path(name)
        kafka = Kafka(f"127.0.0.1:{_free_port()}", f"127.0.0.1:{_free_port()}")
        config = _configure(folder, kafka)
        java = ["java", "-Xmx384m", "-cp", f"{libraries}/*"]
        format_ = [*java, "kafka.tools.StorageTool", "format", "-t", _CLUSTER, "-c", str(config)]
        subprocess.run(format_, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([*java, "kafka.Kafka", str(config)], stdout=log, stderr=log)
        try:
            _await_answer(kafka.address, process, folder / "log")
            yield kafka
        finally:
            process.kill()
            process.wait()


def _fetch(folder: Path) -> None:
    if shutil.which("mvn") is None:
        _missing("there is no mvn to fetch Kafka's jars with")
    draft = Path(tempfile.mkdtemp(dir=folder.parent))
    command = ["mvn", "-q", "-B", "-f", str(_POM), "dependency:copy-dependencies", f"-DoutputDirectory={draft}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode != 0 or not list(draft.glob("kafka_*.jar")):
        shutil.rmtree(draft)
        _missing(f"Kafka's jars can't be fetched: {(done.stdout.strip().splitlines() or ['mvn gives no reason'])[0]}")
    draft.rename(folder)


def _missing(why: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"Apache Kafka is required in CI, and {why}")
    pytest.skip(f"no Apache Kafka: {why}")


def _configure(folder: Path, kafka: Kafka) -> Path:
    controller = f"127.0.0.1:{_free_port()}"
    login = f'org.apache.kafka.common.security.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
    config = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{controller}",
        "listeners": f"PLAINTEXT://{kafka.address},SASL_PLAINTEXT://{kafka.sasl_address},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{kafka.address},SASL_PLAINTEXT://{kafka.sasl_address}",
        "listener.security.protocol.map": ("PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT"),
        "controller.listener.names": "CONTROLLER",
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl_plaintext.plain.sasl.jaas.config": login,
        "log.dirs": str(folder / "data"),
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "group.initial.rebalance.delay.ms": "0",
        "group.consumer.heartbeat.interval.ms": "500",
        "group.consumer.min.heartbeat.interval.ms": "500",
        "group.consumer.session.timeout.ms": "6000",
        "group.consumer.min.session.timeout.ms": "6000",
        "auto.create.topics.enable": "false",
    }
    file = folder / "server.properties"
    file.write_text("".join(f"{name}={value}\n" for name, value in config.items()))
    return file


def _await_answer(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    client = AdminClient({"bootstrap.servers": address, "log_level": 0})
    deadline = time.monotonic() + _START_S
    while True:
        assert process.poll() is None, log.read_text()[-3000:]
        try:
            client.list_topics(timeout=1)
        except KafkaException:
            assert time.monotonic() < deadline, log.read_text()[-3000:]
        else:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.stdout.write(f"Kafka's jars are in {jars()}\n")
