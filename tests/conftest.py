"""Fixtures for brokers, and the order of the tests and their distribution over processes."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]  # it ships no type information

from local.broker import start_broker
from tests.rigs.kafka import Kafka, KafkaCluster, start_cluster, start_kafka

pytest_plugins = ["tests.faults.plugin"]

_OWN = "TICKETS_TEST_KAFKA"
#: Tests that load the machine.
_ALONE = "tests/faults/"
#: The files of a group share a fixture that is slow to set up (stacks on two emulators, a cluster of three brokers, the
#: lanes of the attacks), and so run in one process.
_GROUPS = (
    ("tests/deploy/terraform/",),
    (
        "tests/deploy/msk/",
        "tests/rigs/test_kafka_cluster.py",
        "tests/faults/test_kafka.py",
        "tests/services/tickets/test_cluster_kills.py",
    ),
    ("tests/faults/",),
)
#: The slowest files come first, so that no process ends long after the others.
_LONG = ("tests/deploy/terraform/", "tests/e2e/test_replay", "tests/e2e/")

# Deadlines would fail on a busy machine.
settings.register_profile("ticketstream", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ticketstream")


@pytest.fixture(scope="session")
def tansu() -> Iterator[str]:
    """The address of a local broker."""
    with start_broker() as broker:
        yield broker.address


@pytest.fixture(scope="session")
def apache_kafka() -> Iterator[Kafka]:
    """An Apache Kafka broker. Without Java or Maven its tests are skipped, or fail in CI."""
    with start_kafka() as kafka:
        yield kafka


@pytest.fixture(scope="session")
def _kafka_cluster() -> Iterator[KafkaCluster]:
    with start_cluster() as cluster:
        yield cluster


@pytest.fixture
def kafka_cluster(_kafka_cluster: KafkaCluster) -> Iterator[KafkaCluster]:
    """A cluster of three Apache Kafka brokers, healed after each test. The tests that use it run last."""
    yield _kafka_cluster
    _kafka_cluster.heal()


@pytest.fixture(params=["tansu", "apache", "own"])
def kafka(request: pytest.FixtureRequest) -> str:
    """The address of each kind of broker in turn; `own` is the one in TICKETS_TEST_KAFKA."""
    if request.param == "own":
        if _OWN not in os.environ:
            pytest.skip(f"{_OWN} is not set")
        return os.environ[_OWN]
    if request.param == "tansu":
        return str(request.getfixturevalue("tansu"))
    return str(request.getfixturevalue("apache_kafka").address)


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the slowest files first and tests of the cluster last, and mark tests that load the machine."""
    items.sort(key=lambda item: (_needs_cluster(item), *(not item.nodeid.startswith(long) for long in _LONG)))
    for item in items:
        if _needs_cluster(item) or item.nodeid.startswith(_ALONE):
            item.add_marker(pytest.mark.alone)


def _needs_cluster(item: pytest.Item) -> bool:
    return "kafka_cluster" in getattr(item, "fixturenames", ())


class _Files(LoadFileScheduling):  # type: ignore[misc]  # likewise
    """Runs the tests of a file, or of a group of files, in one process."""

    def _split_scope(self, nodeid: str) -> str:
        group = next((group for group in _GROUPS if nodeid.startswith(group)), None)
        return str(super()._split_scope(nodeid)) if group is None else group[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Files | None:
    """Group files, with `--dist loadfile`."""
    return _Files(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def _data_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch, _data_home: Path) -> None:
    """Hide the developer's own settings and data."""
    monkeypatch.setenv("XDG_DATA_HOME", str(_data_home))
    for name in os.environ:
        if name.startswith("TICKETS_") and not name.startswith("TICKETS_TEST_"):
            monkeypatch.delenv(name)
