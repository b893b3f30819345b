"""Implements `core.producing.Checkpoints` in a DynamoDB table.

The table has a hash key `pk` and a range key `sk`. `pk` is `files` or `tasks`; `expires_s` is the attribute for
DynamoDB's TTL, and removes tasks that have died.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec
from msgspec import Struct

from connectors import dynamodb
from connectors.dynamodb import Client, Item
from connectors.dynamodb_tables import table_definition
from core.errors import FatalError, TransientError, UnavailableError
from core.producing import MAX_AHEAD_MS, Checkpoint, Lease

_DECODER: Final = msgspec.json.Decoder(Checkpoint)
_MS: Final = 1_000
#: How long the item of a dead task is kept after its lease has ended.
_KEEP_S: Final = 3_600
_MISSING: Final = "create the one that TICKETS_PRODUCER__TABLE names, with the keys pk and sk"


class DynamoCheckpoints(Struct, frozen=True, eq=False):
    """See `core.producing.Checkpoints`. `load` is eventually consistent, everything else strongly."""

    client: Client
    table: str

    def load(self) -> Mapping[str, Lease]:
        """See `Checkpoints`."""
        found = {}
        for item in self._items("files", consistent=False):
            checkpoint = _DECODER.decode(item["checkpoint"]["S"])
            found[checkpoint.file_id] = Lease(checkpoint, item["owner"]["S"], int(item["until_ms"]["N"]))
        return found

    def claim(self, new: Checkpoint, owner: str, *, now_ms: int, until_ms: int) -> Checkpoint | None:
        """See `Checkpoints`."""
        item = self._update(
            new.file_id,
            "SET #owner = :owner, until_ms = :until, checkpoint = if_not_exists(checkpoint, :new)",
            "attribute_not_exists(pk) OR #owner = :owner OR until_ms <= :now OR until_ms > :ahead",
            {
                ":owner": _s(owner),
                ":until": _n(until_ms),
                ":now": _n(now_ms),
                ":ahead": _n(until_ms + MAX_AHEAD_MS),
                ":new": _encoded(new),
            },
        )
        return None if item is None else _DECODER.decode(item["checkpoint"]["S"])

    def save(self, checkpoint: Checkpoint, owner: str) -> bool:
        """See `Checkpoints`."""
        given = {":owner": _s(owner), ":checkpoint": _encoded(checkpoint)}
        return self._update(checkpoint.file_id, "SET checkpoint = :checkpoint", "#owner = :owner", given) is not None

    def release(self, file_id: str, owner: str) -> None:
        """See `Checkpoints`."""
        self._update(file_id, "SET until_ms = :zero", "#owner = :owner", {":owner": _s(owner), ":zero": _n(0)})

    def forget(self, file_ids: Sequence[str], *, now_ms: int) -> None:
        """See `Checkpoints`."""
        for file_id in file_ids:
            with _conditional(), _translated("forgetting a file"):
                self.client.delete_item(
                    TableName=self.table,
                    Key=_key("files", file_id),
                    ConditionExpression="until_ms <= :now",
                    ExpressionAttributeValues={":now": _n(now_ms)},
                )

    def join(self, owner: str, *, now_ms: int, until_ms: int) -> int:
        """See `Checkpoints`."""
        item = _key("tasks", owner) | {"until_ms": _n(until_ms), "expires_s": _n(until_ms // _MS + _KEEP_S)}
        with _translated("joining the tasks"):
            self.client.put_item(TableName=self.table, Item=item)
        ends = [int(task["until_ms"]["N"]) for task in self._items("tasks", consistent=True)]
        return sum(now_ms < end <= until_ms + MAX_AHEAD_MS for end in ends)

    def leave(self, owner: str) -> None:
        """See `Checkpoints`."""
        with _translated("leaving the tasks"):
            self.client.delete_item(TableName=self.table, Key=_key("tasks", owner))

    def ping(self) -> None:
        """Read from the table, and raise if it can't be read."""
        with _translated("reading checkpoints"):
            self.client.get_item(TableName=self.table, Key=_key("files", "-"))

    def _items(self, kind: str, *, consistent: bool) -> Iterator[Item]:
        request: Item = {
            "TableName": self.table,
            "ConsistentRead": consistent,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": _s(kind)},
        }
        while True:
            with _translated("reading checkpoints"):
                page = self.client.query(**request)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _update(self, file_id: str, change: str, condition: str, values: Item) -> Item | None:
        """The item after the change; None if the condition is not met."""
        done: Item = {}
        with _conditional(), _translated("writing a checkpoint"):
            done = self.client.update_item(
                TableName=self.table,
                Key=_key("files", file_id),
                UpdateExpression=change,
                ConditionExpression=condition,
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
            )
        return done.get("Attributes")


def open_dynamodb(table: str, region: str | None) -> DynamoCheckpoints:
    """The checkpoints in a table, which exists already.

    Raises:
        ConfigError: no region is configured.
        UnavailableError: DynamoDB doesn't answer or refuses, or the table is missing.
    """
    opened = DynamoCheckpoints(dynamodb.open_client(region, setting="TICKETS_PRODUCER__AWS_REGION"), table)
    try:
        opened.ping()
    except (TransientError, FatalError) as error:
        raise UnavailableError(str(error)) from None
    return opened


def definition(table: str) -> Mapping[str, object]:
    """The arguments of CreateTable, as the tests and local setups make the table."""
    return table_definition(table, ["pk", "sk"])


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    with dynamodb.translated(doing, missing=_MISSING):
        yield


@contextmanager
def _conditional() -> Iterator[None]:
    """Leave the block without an error if a condition is not met."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - imported for DynamoDB only

    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise


def _key(kind: str, name: str) -> Item:
    """A hash as the range key, because a range key has at most 1,024 bytes and an object's name may be as long."""
    return {"pk": _s(kind), "sk": _s(hashlib.blake2b(name.encode(errors="replace"), digest_size=16).hexdigest())}


def _encoded(checkpoint: Checkpoint) -> Item:
    return _s(msgspec.json.encode(checkpoint).decode())


def _s(text: str) -> Item:
    return {"S": text}


def _n(number: int) -> Item:
    return {"N": str(number)}
