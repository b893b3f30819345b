"""Implements `core.sessions.Endings` in the DynamoDB table `UserSessions`.

An item has `session_id` (the key of an `Ending`), `until_ms`, `expires_ms`, and `expires_s` for DynamoDB's TTL. There
is no index.
"""

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Final

from connectors.aws import Timeouts
from connectors.dynamodb import Item, open_client
from connectors.dynamodb_tables import Tables, table_definition
from core.errors import FatalError, TransientError, UnavailableError
from core.sessions import Ending

logger: Final = logging.getLogger("ticketstream.sessions")

SESSIONS: Final = "UserSessions"
#: The attribute for DynamoDB's TTL, by table.
TTL: Final = {SESSIONS: "expires_s"}
HINT: Final = f"create {SESSIONS} with the prefix of TICKETS_SESSIONS__TABLE_PREFIX"
#: Every request waits for it.
_TIMEOUTS: Final = Timeouts(connect_s=0.5, read_s=0.5, attempts=2)


class DynamoEndings:
    """See `core.sessions.Endings`."""

    blocking = True

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def put(self, ending: Ending, *, now_ms: int) -> None:
        """See `Endings`."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - imported for DynamoDB only

        item = _key(ending.key) | {
            "until_ms": {"N": str(ending.until_ms)},
            "expires_ms": {"N": str(ending.expires_ms)},
            "expires_s": {"N": str(math.ceil(ending.expires_ms / 1000))},
        }
        try:
            with self._tables.translated("ending a sign-in"):
                self._tables.client.put_item(
                    TableName=self._tables.name(SESSIONS),
                    Item=item,
                    ConditionExpression="attribute_not_exists(session_id) OR until_ms <= :until OR expires_ms <= :now",
                    ExpressionAttributeValues={":until": item["until_ms"], ":now": {"N": str(now_ms)}},
                )
        except ClientError:  # a later end is there
            return

    def find(self, keys: Sequence[str], *, now_ms: int) -> Sequence[Ending]:
        """See `Endings`."""
        items = self._tables.read_many(SESSIONS, [_key(key) for key in keys], "reading ended sign-ins")
        found = [
            Ending(item["session_id"]["S"], int(item["until_ms"]["N"]), int(item["expires_ms"]["N"])) for item in items
        ]
        return [one for one in found if one.expires_ms > now_ms]

    def close(self) -> None:
        """See `Endings`: there is nothing to release."""


def open_dynamo_endings(*, prefix: str, region: str | None) -> DynamoEndings:
    """The store in the table with this prefix, which exists already. An outage of DynamoDB raises nothing.

    Raises:
        ConfigError: no region is configured.
        UnavailableError: DynamoDB refuses, or the table is missing.
    """
    client = open_client(region, setting="TICKETS_SESSIONS__AWS_REGION", timeouts=_TIMEOUTS)
    store = DynamoEndings(Tables(client, prefix, HINT, attempts=_TIMEOUTS.attempts))
    try:
        store.find(["-"], now_ms=0)
    except FatalError as error:
        raise UnavailableError(str(error)) from None
    except TransientError as error:
        logger.warning("ended sign-ins can't be read yet: %s", error)
    return store


def definitions(prefix: str) -> list[Mapping[str, object]]:
    """The arguments of CreateTable."""
    return [table_definition(prefix + SESSIONS, ["session_id"])]


def _key(key: str) -> Item:
    return {"session_id": {"S": key}}
