"""The tables in DynamoDB and their keys.

`Tickets` has an item for each ticket, by `key` (the key of its records in Kafka), and a tombstone for each deleted one.
Its indexes list live tickets, newest first: a tombstone has none of their attributes. `TicketMetadata` has three kinds
of items, told apart by `pk`: the outbox in four partitions, responses by idempotency key, and the relay's lease.
`expires_s` is the attribute for DynamoDB's TTL; readers compare `expires_ms`, because an expired item stays for up to
days.
"""

from collections.abc import Mapping
from typing import Final

from connectors.dynamodb import open_client
from connectors.dynamodb_tables import Tables, table_definition

TICKETS: Final = "Tickets"
METADATA: Final = "TicketMetadata"

BY_TIME: Final = "by_time"
BY_STATUS: Final = "by_status"
BY_CUSTOMER: Final = "by_customer"
#: Hash key of each index; the range key is `list_order`.
INDEXES: Final = {BY_TIME: "tenant_id", BY_STATUS: "tenant_status", BY_CUSTOMER: "tenant_customer"}

#: Advice about a missing table.
HINT: Final = f"create {TICKETS} and {METADATA} with the prefix of TICKETS_API__TABLE_PREFIX"


def open_tables(*, prefix: str, region: str | None) -> Tables:
    """Open a client with the process's own credentials.

    Raises:
        ConfigError: no region is configured.
    """
    return Tables(open_client(region, setting="TICKETS_API__AWS_REGION"), prefix, HINT)


def definitions(prefix: str) -> list[Mapping[str, object]]:
    """The arguments of CreateTable for each table, as the tests and local setups make them."""
    ranges = [{"AttributeName": "list_order", "KeyType": "RANGE"}]
    projection = {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["summary"]}
    with_status = {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["summary", "tenant_status"]}
    indexes = [
        {
            "IndexName": name,
            "KeySchema": [{"AttributeName": attribute, "KeyType": "HASH"}, *ranges],
            "Projection": with_status if name == BY_CUSTOMER else projection,
        }
        for name, attribute in INDEXES.items()
    ]
    tickets = table_definition(prefix + TICKETS, ["key"], [*INDEXES.values(), "list_order"])
    return [
        {**tickets, "GlobalSecondaryIndexes": indexes},
        table_definition(prefix + METADATA, ["pk", "sk"]),
    ]
