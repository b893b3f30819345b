"""Faults of DynamoDB: throttling, conflicting transactions, missing tables, and queries without a snapshot."""

from collections.abc import Iterator
from typing import Any
from zlib import crc32

import pytest
from botocore.exceptions import EndpointConnectionError

from connectors.dynamodb import Client
from connectors.dynamodb_tables import Tables
from connectors.ticket_store.dynamodb import DynamoTickets, open_dynamodb
from connectors.ticket_store.dynamodb_outbox import PARTITIONS, DynamoOutbox
from connectors.ticket_store.tables import METADATA
from core.contract import record_key
from core.errors import TransientError, UnavailableError
from core.ticket_store import ConflictError, RequestKey, StoreLimitError
from tests.connectors.ticket_store.stores import create_tables, saved, upsert
from tests.rigs.dynamodb import REGION, FaultyClient, dynamodb, refusal


@pytest.fixture(scope="module")
def _dynamodb() -> Iterator[Client]:
    with dynamodb() as opened:
        yield opened


@pytest.fixture
def client(_dynamodb: Client) -> FaultyClient:
    return FaultyClient(_dynamodb)


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def tables(client: FaultyClient, waits: list[float]) -> Tables:
    made = create_tables(client, sleep=waits.append)
    client.calls = 0
    return made


def test_a_transaction_that_meets_another_is_tried_again(
    client: FaultyClient, tables: Tables, waits: list[float]
) -> None:
    """A transaction conflict and the throttling of an item are retried after a wait."""
    client.faults = [
        refusal("TransactionCanceledException", "TransactionConflict", "None"),
        refusal("TransactionCanceledException", "None", "ThrottlingError"),
    ]
    DynamoTickets(tables).apply(upsert())
    assert DynamoTickets(tables).get("acme", "T-1") == upsert().event
    assert len(waits) == 2


def test_retries_end(client: FaultyClient, tables: Tables) -> None:
    """Lasting throttling is an outage after a few attempts; a failed condition is never retried."""
    meeting = refusal("TransactionCanceledException", "None", "TransactionConflict")
    client.faults = [meeting] * 100
    with pytest.raises(TransientError, match="throttled") as caught:
        DynamoTickets(tables).apply(upsert())
    assert caught.value.overload
    assert client.calls == 5
    client.faults = [refusal("TransactionCanceledException", "ConditionalCheckFailed", "TransactionConflict")]
    with pytest.raises(ConflictError):
        DynamoTickets(tables).apply(upsert())
    assert client.calls == 6


@pytest.mark.parametrize(
    "fault",
    [
        refusal("ProvisionedThroughputExceededException"),
        refusal("ThrottlingException"),
        refusal("InternalServerError", status=500),
        refusal("SomethingNew", status=503),
        EndpointConnectionError(endpoint_url="https://dynamodb"),
    ],
)
def test_an_outage_is_transient(client: FaultyClient, tables: Tables, fault: Exception) -> None:
    """Throttling and faults of the server or the network raise TransientError."""
    for call in (lambda: DynamoTickets(tables).get("acme", "T-1"), lambda: DynamoOutbox(tables).size()):
        client.faults = [fault]
        with pytest.raises(TransientError, match="DynamoDB: "):
            call()


def test_a_missing_table_is_named() -> None:
    """A start without tables raises one line that names the missing ones."""
    with dynamodb(), pytest.raises(UnavailableError, match="a table is missing; create Tickets and TicketMetadata"):
        open_dynamodb(prefix="none-", region=REGION)


def test_a_ticket_too_large_for_an_item_is_refused(tables: Tables) -> None:
    """A ticket that fits into no item is refused before the call; one that compresses well is kept."""
    noise = "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(300_000))
    with pytest.raises(StoreLimitError, match="more than the 390,000"):
        DynamoTickets(tables).apply(upsert(body=noise))
    DynamoTickets(tables).apply(upsert(body="the same words " * 60_000))
    assert DynamoTickets(tables).get("acme", "T-1") is not None


def test_unprocessed_events_are_removed_later(client: FaultyClient, tables: Tables) -> None:
    """Events that DynamoDB leaves unprocessed are removed by further calls."""
    for number in range(3):
        DynamoTickets(tables).apply(upsert(f"T-{number}"))
    outbox = DynamoOutbox(tables)
    events = [event for page in outbox.pages(10) for event in page]
    whole = client.real.batch_write_item

    def one_at_a_time(**request: Any) -> Any:
        (table, wanted) = next(iter(request["RequestItems"].items()))
        whole(RequestItems={table: wanted[:1]})
        return {"UnprocessedItems": {table: wanted[1:]} if wanted[1:] else {}}

    client.replaced["batch_write_item"] = one_at_a_time
    outbox.remove(events)
    assert outbox.size().events == 0


@pytest.mark.parametrize("size", [1, 10])
@pytest.mark.parametrize("missed", [1, 2, 3])
def test_a_version_never_overtakes_the_one_before(client: FaultyClient, tables: Tables, missed: int, size: int) -> None:
    """If a query missed a version that was written meanwhile, later versions of the ticket wait."""
    tickets, outbox = DynamoTickets(tables), DynamoOutbox(tables)
    other = next(f"O-{number}" for number in range(1, 100) if _partition(f"O-{number}") == _partition("T-1"))
    for change in (upsert(), upsert(version=2), upsert(version=3), upsert(version=4), upsert(other)):
        tickets.apply(change)
    whole = client.real.query

    def query(**request: Any) -> Any:
        page = whole(**request)
        return page | {"Items": [item for item in page["Items"] if not item["sk"]["S"].endswith(f"/T-1/{missed}")]}

    client.replaced["query"] = query
    # Versions before the gap, in the same page, wait too.
    assert versions_of(outbox, "T-1", size) == (list(range(1, missed)) if size == 1 else [])
    assert versions_of(outbox, other, size) == [1]
    client.replaced = {}
    assert versions_of(outbox, "T-1", size) == [1, 2, 3, 4]


def versions_of(outbox: DynamoOutbox, ticket_id: str, size: int) -> list[int]:
    return [event.version for page in outbox.pages(size) for event in page if event.ticket_id == ticket_id]


def _partition(ticket_id: str) -> int:
    return crc32(record_key("acme", ticket_id)) % PARTITIONS


def test_expiry_is_written_for_dynamodb_too(client: FaultyClient, tables: Tables) -> None:
    """Responses have the attribute by which DynamoDB removes them, in whole seconds."""
    DynamoTickets(tables).apply(upsert(request=(RequestKey("acme", "jane", "k"), saved(expires_ms=1_500))))
    key = {"pk": {"S": "request/acme/jane"}, "sk": {"S": "k"}}
    item = client.get_item(TableName=tables.name(METADATA), Key=key)["Item"]
    assert item["expires_s"] == {"N": "2"}
