"""The zips are small, start quickly, and work under the runtime's Python and Lambda's runtime client."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Final

import msgspec
import pytest
from confluent_kafka import Consumer, TopicPartition
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.kafka.admin import open_cluster
from core.failpoints import VARIABLE
from core.settings import KafkaSettings
from lambdas.build import build, install
from lambdas.contents import FUNCTIONS
from services.tickets.app import PATH
from tests.connectors.ticket_store.stores import upsert
from tests.deploy.terraform.emulators import Emulator
from tests.deploy.terraform.table import Table
from tests.lambdas.events import content, gateway_request, wake
from tests.lambdas.zips.conftest import Runtime, Zip, create_stores
from tests.rigs.asgi import serving
from tests.rigs.issuer import CLIENT, ISSUER, Issuer
from tests.rigs.lambda_runtime import ENDED, RunningFunction, run_function
from tests.rigs.tansu import start_proxied
from tests.rigs.waiting import wait_until

MAX_MB: Final = 15.0
_STARTS: Final = 5
_PARTITIONS: Final = 4


@contextmanager
def running(name: str, zips: dict[str, Zip], runtime: Runtime, log: Path, **environ: str) -> Iterator[RunningFunction]:
    """The function of a zip."""
    folder, path = zips[name].folder, [runtime.client]
    handler = f"{FUNCTIONS[name].module}.{FUNCTIONS[name].handlers[0]}"
    with run_function(handler, folder, log, python=runtime.python, path=path, environ=environ) as function:
        yield function


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_zip_is_small(zips: dict[str, Zip], name: str) -> None:
    """A zip is far below Lambda's limit of 50 MB, so it loads quickly."""
    assert zips[name].built.zipped / 1e6 <= MAX_MB


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_zip_is_reproducible(zips: dict[str, Zip], runtime: Runtime, tmp_path: Path, name: str) -> None:
    """A second build of the same sources and lock has the same bytes."""
    again = build(FUNCTIONS[name], install("x86_64"), tmp_path / "again.zip", python=runtime.python)
    assert again.path.read_bytes() == zips[name].built.path.read_bytes()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_starts(zips: dict[str, Zip], runtime: Runtime, table: Table, tmp_path: Path, name: str) -> None:
    """The runtime client imports the handler. Its time is printed but not asserted, because the machine may be busy."""
    with running(name, zips, runtime, tmp_path / "log") as function:
        starts = [function.start() for _ in range(_STARTS)]
        table.row(
            "cold start, s (CPU s)", name, f"{min(s.seconds for s in starts):.2f} ({min(s.cpu_s for s in starts):.2f})"
        )
        assert function.invoke({"Records": []}).error != "Runtime.ImportModuleError", function.logged()


def test_the_ticket_api_answers(
    zips: dict[str, Zip], runtime: Runtime, moto: Emulator, tmp_path: Path, table: Table
) -> None:
    """A ticket is created under a token of the issuer and read again, across a kill of the process."""
    stores = create_stores(moto, "api-")
    issuer = Issuer()
    with (
        serving(_jwks(issuer)) as jwks,
        running(
            "tickets",
            zips,
            runtime,
            tmp_path / "log",
            AWS_ENDPOINT_URL=moto.url,
            TICKETS_API__TABLE_PREFIX="api-",
            TICKETS_AUTH__ISSUER=ISSUER,
            TICKETS_AUTH__JWKS_URL=jwks,
            TICKETS_AUTH__CLIENT_IDS=CLIENT,
        ) as function,
    ):
        function.start()
        create = gateway_request("POST", PATH, {"ticket_id": "T-1", "body": "it fails"}, headers=issuer.headers())
        began, cpu_s = time.monotonic(), function.cpu_s()
        created = function.invoke(create)
        table.row(
            "first answer, s (CPU s)", "tickets", f"{time.monotonic() - began:.2f} ({function.cpu_s() - cpu_s:.2f})"
        )
        assert created.error is None, created.message + function.logged()
        assert created.payload["statusCode"] == 201, created.payload
        function.kill()
        read = function.invoke(gateway_request("GET", f"{PATH}/T-1", headers=issuer.headers()))
        assert content(read.payload)["version"] == 1
        refused = function.invoke(gateway_request("GET", f"{PATH}/T-1"))
        assert refused.payload["statusCode"] == 401
        lines = function.lines()
    assert stores.outbox.size().events == 1
    assert any(line.get("route") == f"{PATH}/{{ticket_id}}" and line.get("trace_id") for line in lines)
    assert any("tickets_http_requests_total" in line for line in lines if "_aws" in line)


def test_the_outbox_loses_and_reorders_nothing_through_kills_and_an_outage(
    zips: dict[str, Zip], runtime: Runtime, moto: Emulator, tmp_path: Path, table: Table
) -> None:
    """200 tickets, half of them in two versions; the function is killed before and after an acknowledgement, and the
    broker is out for a while. Every version arrives, and no version before the one below it."""
    stores = create_stores(moto, "outbox-")
    wanted = [(f"T-{number}", version) for number in range(200) for version in range(1, 2 + number % 2)]
    with start_proxied() as (address, proxy):
        cluster = open_cluster(KafkaSettings(brokers=address))
        cluster.create_topic("tickets.raw", partitions=_PARTITIONS, replication=1, config={})
        environ = {
            "AWS_ENDPOINT_URL": moto.url,
            "TICKETS_API__TABLE_PREFIX": "outbox-",
            "TICKETS_KAFKA__BROKERS": address,
        }
        with running("outbox", zips, runtime, tmp_path / "log", **environ) as function:
            random = Random(7)
            for place, (ticket, version) in enumerate(wanted):
                stores.tickets.apply(upsert(ticket, version=version))
                if place % 60 == 59:
                    function.kill()
                    function._environ[VARIABLE] = random.choice(["outbox_acked=kill@1", "outbox_read=kill@2", ""])
                    function.invoke(wake())
            function.kill()
            function._environ[VARIABLE] = "outbox_acked=kill@1"
            stores.tickets.apply(upsert("last"))
            assert function.invoke(wake()).error == ENDED
            function._environ.pop(VARIABLE)
            proxy.refuse()
            proxy.reset()
            out = function.invoke(wake())
            assert out.error == "TransientError", out
            proxy.heal()
            wait_until(
                lambda: function.invoke(wake()).error is None and not stores.outbox.size().events, function.logged
            )
        got = _read(address, {*wanted, ("last", 1)})
    for number in range(1, 200, 2):
        assert list(dict.fromkeys(version for ticket, version in got if ticket == f"T-{number}")) == [1, 2]
    table.row("versions sent, of them again", "outbox", f"{len(got)}, {len(got) - len({*got})}")


def _jwks(issuer: Issuer) -> Starlette:
    """An app that serves the issuer's keys."""

    async def answer(_request: Request) -> Response:
        return Response(issuer.document(), media_type="application/json")

    return Starlette(routes=[Route("/", answer)])


def _read(address: str, wanted: set[tuple[str, int]]) -> list[tuple[str, int]]:
    """The records of tickets.raw, until all of `wanted` are there; within a partition in order."""
    consumer = Consumer({"bootstrap.servers": address, "group.id": "reader", "enable.auto.commit": False})
    try:
        consumer.assign([TopicPartition("tickets.raw", partition, 0) for partition in range(_PARTITIONS)])
        found: list[tuple[str, int]] = []

        def complete() -> bool:
            message = consumer.poll(1.0)
            if message is not None and not message.error():
                event = msgspec.json.decode(message.value() or b"")
                found.append((event["ticket_id"], event["version"]))
            return wanted <= {*found}

        wait_until(complete, lambda: f"not in the topic: {sorted(wanted - {*found})}", every_s=0)
        return found
    finally:
        consumer.close()
