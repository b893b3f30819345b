"""Brokers for the tests: the embedded one always, Apache Kafka where it can be had, the user's own where named."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]  # it says nothing of its types

from local.broker import start_broker
from tests.rigs.kafka import Kafka, KafkaCluster, start_cluster, start_kafka

_OWN = "TICKETS_TEST_KAFKA"
pytest_plugins = ["tests.faults.plugin"]

#: Tests that fill the machine.
_ALONE = "tests/faults/"
#: Files that run in one process, one group in each, because they share what takes long to set up: stacks on two
#: emulators, a cluster of three brokers, and the attacks' lanes.
_GROUPS = (
    ("tests/deploy/terraform/",),
    ("tests/deploy/msk/", "tests/rigs/test_kafka_cluster.py", "tests/faults/test_kafka.py"),
    ("tests/faults/",),
)
#: What takes longest, so that no process is left with it alone in the end.
_LONG = ("tests/deploy/terraform/", "tests/e2e/test_replay", "tests/e2e/")

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

    One start serves all tests that ask for it. They come last, so that it runs beside nothing else.
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
    """Mark what must not run beside other tests; the longest files come first, the tests of the cluster last."""
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
    """Where files are what is dealt out."""
    return _Files(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def _data_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch, _data_home: Path) -> None:
    """What is set in the developer's shell, or lies in the developer's index, must not decide a test."""
    monkeypatch.setenv("XDG_DATA_HOME", str(_data_home))
    for name in os.environ:
        if name.startswith("TICKETS_") and not name.startswith("TICKETS_TEST_"):
            monkeypatch.delenv(name)
