"""On a real Kafka with the shipped files every authentication works, and every failure is one line."""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported, not declared
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from connectors.kafka.producer import Outgoing, open_sender
from core.settings import KafkaSettings
from synthetic.tickets import SyntheticRecord, events
from tests.e2e.world import COMMANDS, WorkerProcess, World
from tests.oracle import fold
from tests.rigs.kafka import KafkaCluster
from tests.rigs.kafka.secured import SecurityProtocol, as_environment
from tests.rigs.waiting import PATIENCE_S

_TICKETS = 60


def _worker(cluster: KafkaCluster, protocol: SecurityProtocol, **changes: Any) -> dict[str, str]:
    """Variables of a worker that uses this listener."""
    settings = {"brokers": cluster.listener(protocol), **cluster.secrets.settings(protocol), **changes}
    return as_environment({name: str(value) for name, value in settings.items() if value is not None})


def _produce(cluster: KafkaCluster, world: World, records: Sequence[SyntheticRecord]) -> None:
    """Write the records as a user who may only do that."""
    secured = cluster.secrets.settings("SASL_SSL", "producer")
    sender = open_sender(KafkaSettings(brokers=cluster.listener("SASL_SSL"), **secured))
    sender.send([Outgoing(world.settings.topics.raw, r.key, r.value, r.headers) for r in records])
    sender.close()
    world.produced += len(records)


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SASL_SSL", "SSL"])
def test_the_stream_runs(kafka_cluster: KafkaCluster, world: World, protocol: SecurityProtocol) -> None:
    """Over each listener a worker continues where the last one stopped, and the index is the fold of the log."""
    before = world.produced
    _produce(kafka_cluster, world, list(events(_TICKETS, seed=before + 1, broken=0.1)))
    with WorkerProcess(world, environment=_worker(kafka_cluster, protocol)) as worker:
        world.wait_committed([worker])
        assert worker.metric("tickets_records_total") == world.produced - before
        assert worker.terminate() == 0, worker.output()
    log = world.log()
    assert world.held() == {key: (expected.version, expected.deleted) for key, expected in fold(log).items()}
    assert len(world.letters()) > 0


def _ends(world: World, environment: dict[str, str]) -> tuple[int, str]:
    """Exit code and the one line of a worker that exits by itself."""
    started = world.environment(**environment, TICKETS_KAFKA__STARTUP_TIMEOUT_S="4")
    done = subprocess.run(
        COMMANDS["bytewax"], env=started, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    lines = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert len(lines) == 1, done.stderr
    return done.returncode, lines[0]


def _wrong_password(cluster: KafkaCluster) -> dict[str, str]:
    return _worker(cluster, "SASL_SSL", sasl_password="wrong")


def _wrong_authority(cluster: KafkaCluster) -> dict[str, str]:
    return _worker(cluster, "SASL_SSL", ssl_ca_file=cluster.secrets.elsewhere.file)


def _another_name(cluster: KafkaCluster) -> dict[str, str]:
    """The brokers' certificate is for 127.0.0.1."""
    return _worker(cluster, "SASL_SSL", brokers=cluster.listener("SASL_SSL").replace("127.0.0.1", "localhost"))


def _expired_broker(cluster: KafkaCluster) -> dict[str, str]:
    return _worker(cluster, "SSL", brokers=cluster.listener("EXPIRED"))


def _expired_certificate(cluster: KafkaCluster) -> dict[str, str]:
    mine = cluster.secrets.expired_client
    return _worker(cluster, "SSL", ssl_certificate_file=mine.certificate, ssl_key_file=mine.key, ssl_key_password=None)


def _no_certificate(cluster: KafkaCluster) -> dict[str, str]:
    return _worker(cluster, "SSL", ssl_certificate_file=None, ssl_key_file=None, ssl_key_password=None)


def _wrong_key_password(cluster: KafkaCluster) -> dict[str, str]:
    return _worker(cluster, "SSL", ssl_key_password="wrong")


@pytest.mark.parametrize(
    ("spoilt", "code", "words"),
    [
        (_wrong_password, 3, "refuses us"),
        (_wrong_authority, 3, "the TLS handshake with the broker"),
        (_another_name, 3, "the TLS handshake with the broker"),
        (_expired_broker, 3, "the TLS handshake with the broker"),
        (_expired_certificate, 3, "the TLS handshake with the broker"),
        (_no_certificate, 3, "the TLS handshake with the broker"),
        (_wrong_key_password, 2, "ssl.key.location failed"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_failed_connection_is_one_line(
    kafka_cluster: KafkaCluster, world: World, spoilt: Callable[[KafkaCluster], dict[str, str]], code: int, words: str
) -> None:
    """A failed connection is one line with its exit code and the settings to check, and without a password."""
    returned, line = _ends(world, spoilt(kafka_cluster))
    assert words in line
    assert "TICKETS_KAFKA__S" in line
    assert "wrong" not in line
    assert returned == code


@contextmanager
def _without(cluster: KafkaCluster, kind: ResourceType, name: str, operation: AclOperation) -> Iterator[None]:
    """Take one ACL from the SCRAM user until the end of the `with`."""
    admin = AdminClient({"bootstrap.servers": cluster.address})
    right = (kind, name, ResourcePatternType.LITERAL, "User:ticketstream", "*", operation, AclPermissionType.ALLOW)
    (gone,) = admin.delete_acls([AclBindingFilter(*right)]).values()
    assert len(gone.result(PATIENCE_S)) == 1, "there was no such ACL"
    cluster.wait_metadata()
    try:
        yield
    finally:
        (back,) = admin.create_acls([AclBinding(*right)]).values()
        back.result(PATIENCE_S)
        cluster.wait_metadata()


@pytest.mark.parametrize(
    ("right", "code", "words"),
    [
        ((ResourceType.TOPIC, "raw", AclOperation.READ), 3, "doesn't let us see topic raw-"),
        ((ResourceType.TOPIC, "dlq", AclOperation.WRITE), 3, "doesn't let us see topic dlq-"),
        ((ResourceType.GROUP, "group", AclOperation.READ), 3, "doesn't let us see group "),
    ],
    ids=["read the topic", "write dead letters", "join the group"],
)
def test_every_acl_of_a_worker_is_needed(
    kafka_cluster: KafkaCluster, world: World, right: tuple[ResourceType, str, AclOperation], code: int, words: str
) -> None:
    """Without any one of its ACLs the worker exits with one line that names the resource."""
    kind, role, operation = right
    name = world.settings.kafka.group if role == "group" else getattr(world.settings.topics, role)
    with _without(kafka_cluster, kind, name, operation):
        returned, line = _ends(world, _worker(kafka_cluster, "SASL_SSL"))
    assert words in line
    assert returned == code
