"""The tables in DynamoDB: their keys, bounded retries, and the translation of DynamoDB's errors.

`Tickets` has an item for each ticket, by `key` (the key of its records in Kafka), and a tombstone for each deleted one.
Its indexes list live tickets, newest first: a tombstone has none of their attributes. `TicketMetadata` has three kinds
of items, told apart by `pk`: the outbox in four partitions, responses by idempotency key, and the relay's lease.
`UserSessions` has the sessions. `expires_s` is the attribute for DynamoDB's TTL; readers compare `expires_ms`, because
an expired item stays for up to days.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any, Final

from msgspec import Struct

from connectors import dynamodb
from connectors.dynamodb import Client
from core.errors import TransientError
from core.ticket_store import StoreLimitError
from delivery.backoff import Backoff

TICKETS: Final = "Tickets"
METADATA: Final = "TicketMetadata"
SESSIONS: Final = "UserSessions"

BY_TIME: Final = "by_time"
BY_STATUS: Final = "by_status"
BY_CUSTOMER: Final = "by_customer"
#: Hash key of each index; the range key is `list_order`.
INDEXES: Final = {BY_TIME: "tenant_id", BY_STATUS: "tenant_status", BY_CUSTOMER: "tenant_customer"}

_ATTEMPTS: Final = 5
_MISSING: Final = f"create {TICKETS}, {METADATA} and {SESSIONS} with the prefix of TICKETS_API__TABLE_PREFIX"


class Tables(Struct, frozen=True, eq=False):
    """A client and the names of the tables. `sleep` waits between attempts, in seconds."""

    client: Client
    prefix: str
    sleep: Callable[[float], None] = time.sleep

    def name(self, table: str) -> str:
        """A table's name with the prefix of this installation."""
        return self.prefix + table

    def retried(self, call: Callable[[], bool], doing: str) -> None:
        """Call until it returns True, with jittered waits.

        Raises:
            TransientError: it is throttled after all attempts.
        """
        backoff = Backoff(cap_s=1.0, rng=Random())  # noqa: S311 - jitter
        for attempt in range(_ATTEMPTS):
            if call():
                return
            self.sleep(backoff.delay_s(attempt))
        raise TransientError(f"DynamoDB: {doing}: throttled", retry_after_s=1.0, overload=True)


def open_tables(*, prefix: str, region: str | None) -> Tables:
    """Open a client with the process's own credentials.

    Raises:
        ConfigError: no region is configured.
    """
    return Tables(dynamodb.open_client(region, setting="TICKETS_API__AWS_REGION"), prefix)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Translate botocore's errors, except a failed condition.

    Raises:
        TransientError: throttled or unavailable, after the client's own attempts.
        StoreLimitError: an item is too large.
        FatalError: a table is missing, or DynamoDB refuses.
    """
    try:
        with dynamodb.translated(doing, missing=_MISSING):
            yield
    except dynamodb.ItemTooLargeError:
        raise StoreLimitError("the ticket is larger than an item of DynamoDB may be, 400 KB compressed") from None


def failed_reasons(error: Any) -> Sequence[str]:
    """The code of each item of a cancelled transaction; `None` for items without a fault."""
    return [reason.get("Code", "None") for reason in error.response.get("CancellationReasons", ())]


def may_retry(reasons: Sequence[str]) -> bool:
    """Whether a transaction was cancelled by a conflict or throttling, and not by a condition."""
    return any(reason in dynamodb.RETRIABLE for reason in reasons)


def definitions(prefix: str) -> list[Mapping[str, object]]:
    """The arguments of CreateTable for each table, for tests and local setups."""
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
    return [
        _table(prefix + TICKETS, ["key"], [*INDEXES.values(), "list_order"]) | {"GlobalSecondaryIndexes": indexes},
        _table(prefix + METADATA, ["pk", "sk"]),
        _table(prefix + SESSIONS, ["session_id"]),
    ]


def _table(name: str, keys: Sequence[str], others: Sequence[str] = ()) -> dict[str, object]:
    return {
        "TableName": name,
        "KeySchema": [
            {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
        ],
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in (*keys, *others)],
        "BillingMode": "PAY_PER_REQUEST",
    }
