"""The outbox in DynamoDB: items of `TicketMetadata`, written in the transaction of their ticket.

A partition is read in order of time, which is also the order of a ticket's versions. A query isn't a snapshot: it may
pass the place of a version before that is written, and then find the next one. So an event whose predecessor wasn't
read is yielded only if that is no longer stored; otherwise the ticket's events wait for the next pass.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from connectors.dynamodb import Item
from connectors.dynamodb_tables import Tables
from connectors.ticket_store.tables import METADATA
from core.contract import record_key
from core.ticket_store import Change, OutboxEvent, OutboxSize, version_of

#: Number of partitions; each can take 1,000 write units a second.
PARTITIONS: Final = 4
_LEASE: Final = {"pk": {"S": "lease/relay"}, "sk": {"S": "-"}}


class DynamoOutbox:
    """Implements `core.ticket_store.Outbox`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def pages(self, size: int) -> Iterator[Sequence[OutboxEvent]]:
        """See `Outbox`."""
        for partition in range(PARTITIONS):
            last: dict[str, int] = {}  # last version yielded, by ticket
            waiting: set[str] = set()
            for items in self._items(partition, size):
                waiting |= self._overtaken(_gaps(items, last))
                events = [_event(item) for item in items if _ticket(item) not in waiting]
                last |= {_ticket(item): _version(item) for item in items}
                if events:
                    yield events

    def _items(self, partition: int, size: int) -> Iterator[list[Item]]:
        request = self._of(partition) | {"ConsistentRead": True, "Limit": size}
        while True:
            with self._tables.translated("reading the outbox"):
                page = self._tables.client.query(**request)
            yield page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _overtaken(self, items: Sequence[Item]) -> set[str]:
        """Tickets for which the predecessor of one of `items` is still in the outbox."""
        keys = [{"pk": item["pk"], "sk": item["previous"]} for item in items]
        return {_ticket(item) for item in self._tables.read_many(METADATA, keys, "reading the outbox", fields="ticket")}

    def remove(self, events: Sequence[OutboxEvent]) -> None:
        """See `Outbox`."""
        self._tables.delete_many(METADATA, [_item_key(event) for event in events], "emptying the outbox")

    def size(self) -> OutboxSize:
        """See `Outbox`. It reads the whole outbox, and is eventually consistent."""
        count, oldest = 0, []
        for partition in range(PARTITIONS):
            request = self._of(partition) | {"Select": "COUNT"}
            while True:
                with self._tables.translated("counting the outbox"):
                    page = self._tables.client.query(**request)
                count += page["Count"]
                if "LastEvaluatedKey" not in page:
                    break
                request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
            with self._tables.translated("reading the outbox"):
                first = self._tables.client.query(**self._of(partition), Limit=1)["Items"]
            oldest += [int(item["updated_ms"]["N"]) for item in first]
        return OutboxSize(count, min(oldest, default=None))

    def lease(self, owner: str, *, now_ms: int, until_ms: int) -> bool:
        """See `Outbox`."""
        return self._tables.lease(METADATA, _LEASE, owner, now_ms=now_ms, until_ms=until_ms)

    def release(self, owner: str) -> None:
        """See `Outbox`."""
        self._tables.release(METADATA, _LEASE, owner)

    def _of(self, partition: int) -> Item:
        return {
            "TableName": self._tables.name(METADATA),
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": f"outbox/{partition}"}},
        }


def outbox_item(tables: Tables, change: Change, packed: bytes) -> Item:
    """The arguments of Put for the event of a change. `packed` is its value, compressed."""
    event = change.event
    ticket = record_key(event.tenant_id, event.ticket_id)
    item: Item = {
        "pk": {"S": f"outbox/{zlib.crc32(ticket) % PARTITIONS}"},
        "sk": {"S": _sort_key(change.updated_ms, ticket, version_of(event))},
        "ticket": {"S": ticket.decode()},
        "version": {"N": str(version_of(event))},
        "updated_ms": {"N": str(change.updated_ms)},
        "value": {"B": packed},
    }
    if change.replaces:
        item["previous"] = {"S": _sort_key(change.replaced_ms, ticket, change.replaces)}
    if change.traceparent:
        item["traceparent"] = {"S": change.traceparent}
    return {"TableName": tables.name(METADATA), "Item": item}


def _gaps(items: Sequence[Item], last: Mapping[str, int]) -> list[Item]:
    """The events whose predecessor is neither in `items` nor was yielded."""
    versions, gaps = dict(last), []
    for item in items:
        if "previous" in item and versions.get(_ticket(item)) != _version(item) - 1:
            gaps.append(item)
        versions[_ticket(item)] = _version(item)
    return gaps


def _sort_key(updated_ms: int, ticket: bytes, version: int) -> str:
    return f"{updated_ms:015d}/{ticket.decode()}/{version}"


def _item_key(event: OutboxEvent) -> Item:
    ticket = record_key(event.tenant_id, event.ticket_id)
    return {"pk": {"S": f"outbox/{zlib.crc32(ticket) % PARTITIONS}"}, "sk": {"S": event.row_id}}


def _event(item: Item) -> OutboxEvent:
    tenant_id, _, ticket_id = _ticket(item).partition("/")
    return OutboxEvent(
        row_id=item["sk"]["S"],
        tenant_id=tenant_id,
        ticket_id=ticket_id,
        version=_version(item),
        updated_ms=int(item["updated_ms"]["N"]),
        value=zlib.decompress(item["value"]["B"]),
        traceparent=item.get("traceparent", {}).get("S", ""),
    )


def _version(item: Item) -> int:
    return int(item["version"]["N"])


def _ticket(item: Item) -> str:
    return str(item["ticket"]["S"])
