"""Fixtures: every function's zip, built once and unpacked; tables, a broker, and a printed table of figures."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
from msgspec import Struct

from connectors.dynamodb_tables import Tables
from connectors.ticket_store.dynamodb import DynamoTickets
from connectors.ticket_store.dynamodb_outbox import DynamoOutbox
from connectors.ticket_store.tables import HINT, METADATA, definitions
from lambdas.build import CACHE, ROOT, Built, build, find_python, install
from lambdas.contents import FUNCTIONS
from tests.connectors.ticket_store.stores import Stores
from tests.deploy.terraform.emulators import Emulator, start_moto
from tests.deploy.terraform.table import Table

PREFIX: Final = "t-"
_TABLE: Final = Table()


class Zip(Struct, frozen=True):
    """A function's zip, and its content in a folder."""

    built: Built
    folder: Path


class Runtime(Struct, frozen=True):
    """The runtime's Python, and the folder of its awslambdaric."""

    python: str
    client: Path


@pytest.fixture(scope="session")
def table() -> Table:
    """The table that is printed at the end."""
    return _TABLE


@pytest.fixture(scope="session")
def runtime() -> Runtime:
    """Python 3.13 with Lambda's runtime client."""
    return Runtime(find_python(), install("x86_64", ROOT / "requirements" / "lambda-runtime.txt", CACHE))


@pytest.fixture(scope="session")
def zips(tmp_path_factory: pytest.TempPathFactory, runtime: Runtime, table: Table) -> dict[str, Zip]:
    """Every function."""
    folder, site = tmp_path_factory.mktemp("zips"), install("x86_64")
    made = {}
    for name, spec in FUNCTIONS.items():
        built = build(spec, site, folder / f"{name}.zip", python=runtime.python)
        with zipfile.ZipFile(built.path) as archive:
            archive.extractall(folder / name)
        made[name] = Zip(built, folder / name)
        table.row("zip, MB", name, round(built.zipped / 1e6, 1))
    return made


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An AWS with the ticket API's tables."""
    with start_moto(tmp_path_factory.mktemp("moto")) as emulator:
        yield emulator


def create_stores(emulator: Emulator, prefix: str = PREFIX, *, stream: bool = False) -> Stores:
    """New tables in the emulator, with a stream of the outbox's if wanted."""
    client: Any = boto3.client(
        "dynamodb",
        endpoint_url=emulator.url,
        region_name="eu-central-1",
        aws_access_key_id="123456789012",
        aws_secret_access_key="of-nobody",
    )
    for definition in definitions(prefix):
        more: dict[str, object] = {}
        if stream and definition["TableName"] == prefix + METADATA:
            more = {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}}
        client.create_table(**definition, **more)
    tables = Tables(client, prefix, HINT)
    return Stores(DynamoTickets(tables), DynamoOutbox(tables))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table, if it has rows."""
    if lines := _TABLE.lines():
        terminalreporter.section("lambda functions")
        for line in lines:
            terminalreporter.write_line(line)
