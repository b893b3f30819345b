"""Brokers for the tests: the embedded one always, Apache Kafka where it can be had, the user's own where named."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from connectors.broker import start_broker
from tests.rigs.kafka import Kafka, KafkaCluster, start_cluster, start_kafka

_OWN = "TICKETS_TEST_KAFKA"

# A busy machine is slow, and that is no fault of the code.
settings.register_profile("ticketstream", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ticketstream")


@pytest.fixture(scope="session")
def tansu() -> Iterator[str]:
    """Address of the embedded broker."""
    with start_broker() as broker:
        yield broker.address


@pytest.fixture(scope="session")
def apache_kafka() -> Iterator[Kafka]:
    """An Apache Kafka broker started here; skipped with a word where it can't be, required in CI."""
    with start_kafka() as kafka:
        yield kafka


@pytest.fixture(scope="module")
def _kafka_cluster() -> Iterator[KafkaCluster]:
    with start_cluster() as cluster:
        yield cluster


@pytest.fixture
def kafka_cluster(_kafka_cluster: KafkaCluster) -> Iterator[KafkaCluster]:
    """Three Apache Kafka brokers to break, gone after the module that asked for them; whole again after each test."""
    yield _kafka_cluster
    _kafka_cluster.heal()


@pytest.fixture(params=["tansu", "apache", "own"])
def kafka(request: pytest.FixtureRequest) -> str:
    """Every broker in turn; `own` is the one that TICKETS_TEST_KAFKA names."""
    if request.param == "own":
        if _OWN not in os.environ:
            pytest.skip(f"{_OWN} names no broker")
        return os.environ[_OWN]
    if request.param == "tansu":
        return str(request.getfixturevalue("tansu"))
    return str(request.getfixturevalue("apache_kafka").address)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is set in the developer's shell must not decide a test."""
    for name in os.environ:
        if name.startswith("TICKETS_") and not name.startswith("TICKETS_TEST_"):
            monkeypatch.delenv(name)
