"""Fixtures: the modules on an emulator, applied once, and a printed table of figures."""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from connectors.kafka.admin import open_cluster
from core.settings import KafkaSettings
from tests.aws.rag import Rag, serving_rag
from tests.aws.trial import Trial, applied
from tests.deploy.terraform.conftest import require
from tests.deploy.terraform.emulators import MINISTACK
from tests.deploy.terraform.table import Table
from tests.deploy.terraform.tool import find_tool
from tests.rigs.tansu import start_proxied

PARTITIONS: Final = 4
_TABLE: Final = Table()


@pytest.fixture(scope="session")
def table() -> Table:
    """The table that is printed at the end."""
    return _TABLE


@pytest.fixture(scope="session")
def rag() -> Iterator[Rag]:
    """A stand-in for the RAG service, which records its requests."""
    with serving_rag() as service:
        yield service


@pytest.fixture(scope="session")
def brokers() -> Iterator[str]:
    """The address of a broker with the topic of raw tickets."""
    with start_proxied() as (address, _proxy):
        cluster = open_cluster(KafkaSettings(brokers=address))
        cluster.create_topic("tickets.raw", partitions=PARTITIONS, replication=1, config={})
        yield address


@pytest.fixture(scope="session")
def trial(tmp_path_factory: pytest.TempPathFactory, rag: Rag, brokers: str) -> Iterator[Trial]:
    """The functions, the user pool and the REST API on ministack, with IAM enforced."""
    tool = find_tool()
    if tool is None:
        pytest.skip("terraform 1.11 or newer is not installed")
    require(MINISTACK)
    with applied(tool, tmp_path_factory.mktemp("trial"), rag_url=rag.url, brokers=brokers) as made:
        yield made


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table, if it has rows."""
    if lines := _TABLE.lines():
        terminalreporter.section("aws")
        for line in lines:
            terminalreporter.write_line(line)
