"""Brokers for the tests: the embedded one always, Apache Kafka where it can be had, the user's own where named."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

from connectors.broker import start_broker
from tests.rigs.kafka import Kafka, KafkaCluster, start_cluster, start_kafka

_OWN = "TICKETS_TEST_KAFKA"
#: Where tests are that fill the machine, or hold fractions of a second against a bound.
_ALONE = (
    "tests/faults/",
    "tests/core/test_failpoints.py",
    "tests/delivery/test_target.py",
    "tests/rigs/test_proxy.py",
    "tests/worker/test_crew.py",
    "tests/worker/test_writer_stops.py",
)
#: What shares something that takes long to set up, and so a process: stacks on two emulators, three brokers.
_TOGETHER = {
    "tests/deploy/terraform/": "terraform",
    "tests/deploy/msk/": "three brokers",
    "tests/rigs/test_kafka_cluster.py": "three brokers",
}
#: What takes longest, so that no process is left with it alone in the end.
_LONG = (*_TOGETHER, "tests/e2e/test_replay", "tests/e2e/")
_LONG_S = 900

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


@pytest.fixture(scope="session")
def _kafka_cluster() -> Iterator[KafkaCluster]:
    with start_cluster() as cluster:
        yield cluster


@pytest.fixture
def kafka_cluster(_kafka_cluster: KafkaCluster) -> Iterator[KafkaCluster]:
    """Three Apache Kafka brokers to break; whole again after each test.

    One start serves all tests of a process that ask for it.
    """
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


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what must not run beside other tests; the longest come first, attacks on three brokers last."""
    items.sort(key=lambda item: (_attacks_cluster(item), *(not item.nodeid.startswith(long) for long in _LONG)))
    for item in items:
        if item.nodeid.startswith(_ALONE):
            item.add_marker(pytest.mark.alone)
        if item.nodeid.startswith(tuple(_TOGETHER)):
            item.add_marker(pytest.mark.timeout(_LONG_S))


def _attacks_cluster(item: pytest.Item) -> bool:
    return item.nodeid.startswith("tests/faults/") and "kafka_cluster" in getattr(item, "fixturenames", ())


class _Rooms(LoadFileScheduling):
    """A file's tests run in one process, and so do those of files that share what takes long to set up."""

    def _split_scope(self, nodeid: str) -> str:
        shared = (room for prefix, room in _TOGETHER.items() if nodeid.startswith(prefix))
        return next(shared, super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Rooms | None:
    """Where files are what is dealt out."""
    return _Rooms(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is set in the developer's shell must not decide a test."""
    for name in os.environ:
        if name.startswith("TICKETS_") and not name.startswith("TICKETS_TEST_"):
            monkeypatch.delenv(name)
