"""Tickets in DynamoDB. Their outbox is in `dynamodb_outbox`."""

import math
import zlib
from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from connectors.dynamodb import Item, ItemTooLargeError
from connectors.dynamodb_tables import Tables, failed_reasons, may_retry
from connectors.ticket_store.dynamodb_outbox import DynamoOutbox, outbox_item
from connectors.ticket_store.tables import (
    BY_CUSTOMER,
    BY_STATUS,
    BY_TIME,
    INDEXES,
    METADATA,
    TICKETS,
    open_tables,
)
from core.contract import TicketEvent, UpsertEvent, record_key
from core.errors import FatalError, TransientError, UnavailableError
from core.ticket_store import (
    Change,
    ConflictError,
    Cursor,
    KeyUsedError,
    OutboxEvent,
    Page,
    RequestKey,
    SavedResponse,
    StoreLimitError,
    TicketQuery,
    TicketSummary,
    decode_value,
    summary_of,
    version_of,
)

#: An item may have 400 KB (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html); the rest
#: is for keys and the summary.
MAX_COMPRESSED_BYTES: Final = 390_000
#: Maximum queries for one page of a list that is filtered by two fields.
_MAX_QUERIES: Final = 10
_MS: Final = 1_000

_ENCODER: Final = msgspec.msgpack.Encoder()
_SUMMARY: Final = msgspec.msgpack.Decoder(TicketSummary)
_RESPONSE: Final = msgspec.msgpack.Decoder(SavedResponse)


class DynamoTickets:
    """Implements `core.ticket_store.TicketStore`. Lists are eventually consistent, everything else strongly."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def get(self, tenant_id: str, ticket_id: str) -> TicketEvent | None:
        """See `TicketStore`."""
        item = self._tables.read(TICKETS, {"key": {"S": _key(tenant_id, ticket_id)}}, "reading")
        return None if item is None else decode_value(zlib.decompress(item["value"]["B"]))

    def find(self, query: TicketQuery) -> Page:
        """See `TicketStore`."""
        found: list[TicketSummary] = []
        after = query.after
        for _ in range(_MAX_QUERIES):
            request = self._query(msgspec.structs.replace(query, after=after, limit=query.limit - len(found)))
            with self._tables.translated("listing tickets"):
                page = self._tables.client.query(**request)
            found += [_SUMMARY.decode(item["summary"]["B"]) for item in page["Items"]]
            last = page.get("LastEvaluatedKey")
            if last is None:
                return Page(found, None)
            created_ms, _, ticket_id = last["list_order"]["S"].partition("/")
            after = Cursor(int(created_ms), ticket_id)
            if len(found) == query.limit:
                break
        return Page(found, after)

    def _query(self, query: TicketQuery) -> Item:
        index, value = BY_TIME, query.tenant_id
        if query.customer_id is not None:
            index, value = BY_CUSTOMER, f"{query.tenant_id}/{query.customer_id}"
        elif query.status is not None:
            index, value = BY_STATUS, f"{query.tenant_id}/{query.status}"
        condition, values = f"{INDEXES[index]} = :value", {":value": {"S": value}}
        request: Item = {"TableName": self._tables.name(TICKETS), "IndexName": index, "ScanIndexForward": False}
        if query.after is not None:
            condition += " AND list_order < :after"
            values[":after"] = {"S": _list_order(query.after.created_ms, query.after.ticket_id)}
        if query.customer_id is not None and query.status is not None:
            request["FilterExpression"] = "tenant_status = :status"
            values[":status"] = {"S": f"{query.tenant_id}/{query.status}"}
        return request | {
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "Limit": query.limit,
        }

    def apply(self, change: Change) -> None:
        """See `TicketStore`."""
        items = [self._ticket_put(change), {"Put": outbox_item(self._tables, change, _compressed(change.value))}]
        if change.request is not None:
            items.append(self._response_put(*change.request, now_ms=change.updated_ms))
        self._tables.retried(lambda: self._transact(items, change), "writing a ticket")

    def _transact(self, items: list[Item], change: Change) -> bool:
        from botocore.exceptions import ClientError  # noqa: PLC0415 - imported for DynamoDB only

        try:
            with self._tables.translated("writing a ticket"):
                self._tables.client.transact_write_items(TransactItems=items)
        except ItemTooLargeError:
            raise StoreLimitError("the ticket is larger than an item of DynamoDB may be, 400 KB compressed") from None
        except ClientError as error:
            reasons = failed_reasons(error)
            failed = [place for place, reason in enumerate(reasons) if reason == "ConditionalCheckFailed"]
            if len(items) - 1 in failed and change.request is not None:
                raise KeyUsedError("the idempotency key has been used") from None
            if failed:
                raise ConflictError(f"the ticket is not at version {change.replaces}") from None
            if may_retry(reasons):
                return False
            raise FatalError(f"DynamoDB: writing a ticket: {', '.join(reasons)}") from None
        return True

    def _ticket_put(self, change: Change) -> Item:
        event = change.event
        key = _key(event.tenant_id, event.ticket_id)
        item: Item = {
            "key": {"S": key},
            "version": {"N": str(version_of(event))},
            "updated_ms": {"N": str(change.updated_ms)},
            "value": {"B": _compressed(change.value)},
        }
        if isinstance(event, UpsertEvent):
            summary = summary_of(event)
            item |= {
                "summary": {"B": _ENCODER.encode(summary)},
                "tenant_id": {"S": event.tenant_id},
                "tenant_status": {"S": f"{event.tenant_id}/{event.status}"},
                "list_order": {"S": _list_order(summary.created_ms, event.ticket_id)},
            }
            if event.customer_id is not None:
                item["tenant_customer"] = {"S": f"{event.tenant_id}/{event.customer_id}"}
        put: Item = {"TableName": self._tables.name(TICKETS), "Item": item}
        if change.replaces == 0:
            put["ConditionExpression"] = "attribute_not_exists(#key)"
            put["ExpressionAttributeNames"] = {"#key": "key"}
        else:
            put["ConditionExpression"] = "version = :replaces"
            put["ExpressionAttributeValues"] = {":replaces": {"N": str(change.replaces)}}
        return {"Put": put}

    def _response_put(self, key: RequestKey, saved: SavedResponse, *, now_ms: int) -> Item:
        return {
            "Put": {
                "TableName": self._tables.name(METADATA),
                "Item": _request_key(key)
                | _expiry(saved.expires_ms)
                | {"response": {"B": _compressed(_ENCODER.encode(saved))}},
                "ConditionExpression": "attribute_not_exists(pk) OR expires_ms <= :now",
                "ExpressionAttributeValues": {":now": {"N": str(now_ms)}},
            }
        }

    def response(self, key: RequestKey, *, now_ms: int) -> SavedResponse | None:
        """See `TicketStore`."""
        item = self._tables.read(METADATA, _request_key(key), "reading")
        if item is None or int(item["expires_ms"]["N"]) <= now_ms:
            return None
        return _RESPONSE.decode(zlib.decompress(item["response"]["B"]))

    def changed_since(self, updated_ms: int) -> Iterator[OutboxEvent]:
        """See `TicketStore`. It reads the whole table."""
        request: Item = {
            "TableName": self._tables.name(TICKETS),
            "ConsistentRead": True,
            "FilterExpression": "updated_ms >= :since",
            "ExpressionAttributeValues": {":since": {"N": str(updated_ms)}},
        }
        while True:
            with self._tables.translated("reading all tickets"):
                page = self._tables.client.scan(**request)
            yield from map(_stored_version, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def ping(self) -> None:
        """See `TicketStore`."""
        self._tables.read(TICKETS, {"key": {"S": "-"}}, "reading")
        self._tables.read(METADATA, {"pk": {"S": "-"}, "sk": {"S": "-"}}, "reading")


class DynamoStores(Struct, frozen=True, eq=False):
    """The two stores of one installation."""

    tickets: DynamoTickets
    outbox: DynamoOutbox


def open_dynamodb(*, prefix: str, region: str | None) -> DynamoStores:
    """The stores in the tables with this prefix, which exist already.

    Raises:
        ConfigError: no region is configured.
        UnavailableError: DynamoDB doesn't answer or refuses, or a table is missing.
    """
    try:
        tables = open_tables(prefix=prefix, region=region)
        stores = DynamoStores(DynamoTickets(tables), DynamoOutbox(tables))
        stores.tickets.ping()
    except (TransientError, FatalError) as error:
        raise UnavailableError(str(error)) from None
    return stores


def _stored_version(item: Item) -> OutboxEvent:
    value = zlib.decompress(item["value"]["B"])
    event = decode_value(value)
    return OutboxEvent(
        row_id="",
        tenant_id=event.tenant_id,
        ticket_id=event.ticket_id,
        version=version_of(event),
        updated_ms=int(item["updated_ms"]["N"]),
        value=value,
    )


def _key(tenant_id: str, ticket_id: str) -> str:
    return record_key(tenant_id, ticket_id).decode()


def _list_order(created_ms: int, ticket_id: str) -> str:
    return f"{created_ms:015d}/{ticket_id}"


def _request_key(key: RequestKey) -> Item:
    """A tenant's id contains no slash, so the first slash ends it."""
    return {"pk": {"S": f"request/{key.tenant_id}/{key.user_id}"}, "sk": {"S": key.key}}


def _expiry(expires_ms: int) -> Item:
    return {"expires_ms": {"N": str(expires_ms)}, "expires_s": {"N": str(math.ceil(expires_ms / _MS))}}


def _compressed(value: bytes) -> bytes:
    packed = zlib.compress(value)
    if len(packed) > MAX_COMPRESSED_BYTES:
        raise StoreLimitError(
            f"the ticket has {len(packed):,} bytes compressed, more than the {MAX_COMPRESSED_BYTES:,} that an item of "
            "DynamoDB may have"
        )
    return packed
