"""Tables in DynamoDB: bounded retries, reads and deletes of many items, and leases."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any, Final

from msgspec import Struct

from connectors.dynamodb import RETRIABLE, Client, Item, translated
from core.errors import TransientError
from delivery.backoff import Backoff
from delivery.lease import MAX_AHEAD_MS

#: Limits of BatchGetItem and BatchWriteItem.
_MAX_READS: Final = 100
_MAX_WRITES: Final = 25


class Tables(Struct, frozen=True, eq=False):
    """A client and the names of the tables.

    Attributes:
        client: makes the calls.
        prefix: what the names of this installation's tables begin with.
        hint: which tables to create if one is missing.
        sleep: waits between attempts, in seconds.
        attempts: of a call that is throttled or meets another one.
    """

    client: Client
    prefix: str
    hint: str
    sleep: Callable[[float], None] = time.sleep
    attempts: int = 5

    def name(self, table: str) -> str:
        """A table's name with the prefix of this installation."""
        return self.prefix + table

    def retried(self, call: Callable[[], bool], doing: str) -> None:
        """Call until it returns True, with jittered waits.

        Raises:
            TransientError: it is throttled after all attempts.
        """
        backoff = Backoff(cap_s=1.0, rng=Random())  # noqa: S311 - jitter
        for attempt in range(self.attempts):
            if call():
                return
            self.sleep(backoff.delay_s(attempt))
        raise TransientError(f"DynamoDB: {doing}: throttled", retry_after_s=1.0, overload=True)

    @contextmanager
    def translated(self, doing: str) -> Iterator[None]:
        """See `connectors.dynamodb.translated`."""
        with translated(doing, missing=self.hint):
            yield

    def read(self, table: str, key: Item, doing: str) -> Item | None:
        """An item, consistently read; None if there is none."""
        with self.translated(doing):
            request = {"TableName": self.name(table), "Key": key, "ConsistentRead": True}
            found: Item | None = self.client.get_item(**request).get("Item")
        return found

    def read_many(self, table: str, keys: Sequence[Item], doing: str, *, fields: str | None = None) -> list[Item]:
        """The items with these keys that exist, consistently read, in any order; `fields` is a projection."""
        found: list[Item] = []
        projection = {} if fields is None else {"ProjectionExpression": fields}
        for begin in range(0, len(keys), _MAX_READS):
            part = {"Keys": list(keys[begin : begin + _MAX_READS]), "ConsistentRead": True, **projection}
            wanted: Item = {self.name(table): part}

            def read() -> bool:
                nonlocal wanted
                with self.translated(doing):
                    page = self.client.batch_get_item(RequestItems=wanted)
                found.extend(page["Responses"].get(self.name(table), ()))
                wanted = page.get("UnprocessedKeys") or {}
                return not wanted

            self.retried(read, doing)
        return found

    def delete_many(self, table: str, keys: Sequence[Item], doing: str) -> None:
        """Delete items. Idempotent."""
        for begin in range(0, len(keys), _MAX_WRITES):
            wanted: Item = {
                self.name(table): [{"DeleteRequest": {"Key": key}} for key in keys[begin : begin + _MAX_WRITES]]
            }

            def delete() -> bool:
                nonlocal wanted
                with self.translated(doing):
                    wanted = self.client.batch_write_item(RequestItems=wanted).get("UnprocessedItems") or {}
                return not wanted

            self.retried(delete, doing)

    def lease(self, table: str, key: Item, owner: str, *, now_ms: int, until_ms: int) -> bool:
        """Take or extend a lease, which is the item `key`. See `delivery.lease.LeaseStore`."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - imported for DynamoDB only

        try:
            with self.translated("taking the lease"):
                self.client.put_item(
                    TableName=self.name(table),
                    Item=key | {"holder": {"S": owner}, "until_ms": {"N": str(until_ms)}},
                    ConditionExpression=(
                        "attribute_not_exists(pk) OR holder = :owner OR until_ms <= :now OR until_ms > :ahead"
                    ),
                    ExpressionAttributeValues={
                        ":owner": {"S": owner},
                        ":now": {"N": str(now_ms)},
                        ":ahead": {"N": str(until_ms + MAX_AHEAD_MS)},
                    },
                )
        except ClientError:
            return False
        return True

    def release(self, table: str, key: Item, owner: str) -> None:
        """Give a lease back, if `owner` has it."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - imported for DynamoDB only

        try:
            with self.translated("releasing the lease"):
                self.client.delete_item(
                    TableName=self.name(table),
                    Key=key,
                    ConditionExpression="holder = :owner",
                    ExpressionAttributeValues={":owner": {"S": owner}},
                )
        except ClientError:  # another one has it
            return


def failed_reasons(error: Any) -> Sequence[str]:
    """The code of each item of a cancelled transaction; `None` for those that were not at fault."""
    return [reason.get("Code", "None") for reason in error.response.get("CancellationReasons", ())]


def may_retry(reasons: Sequence[str]) -> bool:
    """Whether a transaction was cancelled by a conflict or throttling, and not by a condition."""
    return any(reason in RETRIABLE for reason in reasons)


def table_definition(name: str, keys: Sequence[str], others: Sequence[str] = ()) -> Mapping[str, object]:
    """The arguments of CreateTable; all attributes of keys are strings."""
    return {
        "TableName": name,
        "KeySchema": [
            {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
        ],
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in (*keys, *others)],
        "BillingMode": "PAY_PER_REQUEST",
    }
