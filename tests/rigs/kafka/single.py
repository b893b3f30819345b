"""One Kafka node with two listeners: without authentication, and with SASL/PLAIN."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from core.settings import KafkaSettings
from local.ports import free_port
from tests.rigs.kafka.archive import quick_java
from tests.rigs.kafka.node import Node, format_all

USER: Final = "tests"
PASSWORD: Final = "right-password"


class Kafka(Struct, frozen=True):
    """Addresses of a running broker, without and with authentication, and the folder of its data."""

    address: str
    sasl_address: str
    folder: Path

    def login(self, password: str, **changes: Any) -> KafkaSettings:
        """Settings of a client that uses this password."""
        return KafkaSettings(
            brokers=self.sasl_address,
            security_protocol="SASL_PLAINTEXT",
            sasl_mechanism="PLAIN",
            sasl_username=USER,
            sasl_password=password,
            startup_timeout_s=15,
            **changes,
        )


@contextmanager
def start_kafka() -> Iterator[Kafka]:
    """Start a broker and yield it once it answers."""
    java = quick_java(384)
    with tempfile.TemporaryDirectory(prefix="kafka-") as name:
        kafka = Kafka(f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}", Path(name))
        node = Node(Path(name), kafka.address, _config(kafka), java=java)
        try:
            format_all(node)
            node.start()
            node.wait_ready()
            yield kafka
        finally:
            node.kill()


def _config(kafka: Kafka) -> dict[str, str]:
    controller = f"127.0.0.1:{free_port()}"
    login = f'org.apache.kafka.common.security.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
    return {
        "node.id": "1",
        "controller.quorum.voters": f"1@{controller}",
        "listeners": f"PLAINTEXT://{kafka.address},SASL_PLAINTEXT://{kafka.sasl_address},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{kafka.address},SASL_PLAINTEXT://{kafka.sasl_address}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl_plaintext.plain.sasl.jaas.config": login,
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
    }
