"""The outbox on an emulator: a DynamoDB stream wakes the function, which sends each ticket's versions in order."""

import time
from typing import Final

import msgspec
import pytest
from confluent_kafka import Consumer, TopicPartition

from connectors.dynamodb_tables import Tables
from connectors.ticket_store.dynamodb import DynamoTickets
from connectors.ticket_store.dynamodb_outbox import DynamoOutbox
from connectors.ticket_store.tables import HINT
from tests.aws.conftest import PARTITIONS
from tests.aws.trial import PREFIX, Trial
from tests.connectors.ticket_store.stores import upsert
from tests.deploy.terraform.table import Table
from tests.rigs.waiting import wait_until

pytestmark = pytest.mark.thorough

_TICKETS: Final = 200


def test_200_tickets_arrive_in_order(trial: Trial, brokers: str, table: Table) -> None:
    """200 tickets, half of them in two versions, are all in the topic, and no version before the one below it."""
    tables = Tables(trial.emulator.client("dynamodb"), PREFIX, HINT)
    tickets, outbox = DynamoTickets(tables), DynamoOutbox(tables)
    wanted = [(f"O-{number}", version) for number in range(_TICKETS) for version in range(1, 2 + number % 2)]
    began = time.monotonic()
    for ticket, version in wanted:
        tickets.apply(upsert(ticket, version=version))
    got = _read(brokers, {*wanted})
    wait_until(lambda: not outbox.size().events, lambda: f"{outbox.size().events} events are left")
    for number in range(1, _TICKETS, 2):
        assert list(dict.fromkeys(version for ticket, version in got if ticket == f"O-{number}")) == [1, 2]
    table.row("outbox: versions in the topic, lost", "ministack", f"{len({*got})}, {len({*wanted} - {*got})}")
    table.row("outbox: s until all are there", "ministack", round(time.monotonic() - began, 1))


def _read(address: str, wanted: set[tuple[str, int]]) -> list[tuple[str, int]]:
    """The records of tickets.raw, until all of `wanted` are there; within a partition in order."""
    consumer = Consumer({"bootstrap.servers": address, "group.id": "reader", "enable.auto.commit": False})
    try:
        consumer.assign([TopicPartition("tickets.raw", partition, 0) for partition in range(PARTITIONS)])
        found: list[tuple[str, int]] = []

        def complete() -> bool:
            message = consumer.poll(1.0)
            if message is not None and not message.error():
                event = msgspec.json.decode(message.value() or b"")
                found.append((event["ticket_id"], event["version"]))
            return wanted <= {*found}

        wait_until(complete, lambda: f"not in the topic: {sorted(wanted - {*found})}", every_s=0)
        return [each for each in found if each in wanted]
    finally:
        consumer.close()
