"""A client of DynamoDB, and the translation of its errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol, cast

from connectors import aws
from core.errors import FatalError, TransientError

#: An item in DynamoDB's own form, {"name": {"S": "text"}}.
Item = dict[str, Any]

_THROTTLED: Final = {
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
}
_OUTAGES: Final = {"InternalServerError", "ServiceUnavailable", "TransactionInProgressException", "TransactionConflict"}
#: Codes of errors after which the same call may succeed.
RETRIABLE: Final = _THROTTLED | _OUTAGES
_SERVER_FAULT: Final = 500
_CONNECTIONS: Final = 64


class Client(Protocol):
    """The part of boto3's DynamoDB client that we use; each call takes and returns maps."""

    def get_item(self, **request: object) -> Item: ...
    def put_item(self, **request: object) -> Item: ...
    def update_item(self, **request: object) -> Item: ...
    def delete_item(self, **request: object) -> Item: ...
    def query(self, **request: object) -> Item: ...
    def scan(self, **request: object) -> Item: ...
    def batch_get_item(self, **request: object) -> Item: ...
    def batch_write_item(self, **request: object) -> Item: ...
    def transact_write_items(self, **request: object) -> Item: ...
    def create_table(self, **request: object) -> Item: ...


class ItemTooLargeError(FatalError):
    """An item is larger than 400 KB."""


def open_client(region: str | None, *, setting: str, timeouts: aws.Timeouts = aws.TIMEOUTS) -> Client:
    """A client with the process's own credentials.

    Raises:
        ConfigError: no region is configured; the message names `setting`.
    """
    no_region = f"{setting}: DynamoDB needs a region"
    client = aws.open_client("dynamodb", region, no_region=no_region, timeouts=timeouts, connections=_CONNECTIONS)
    return cast("Client", client)


@contextmanager
def translated(doing: str, *, missing: str) -> Iterator[None]:
    """Translate botocore's errors, except a failed condition. `missing` says what to do about a missing table.

    Raises:
        TransientError: throttled or unavailable, after the client's own attempts.
        ItemTooLargeError: an item is too large.
        FatalError: a table is missing, or DynamoDB refuses.
    """
    from botocore.exceptions import (  # noqa: PLC0415 - imported for DynamoDB only
        BotoCoreError,
        ClientError,
        NoCredentialsError,
    )

    try:
        yield
    except NoCredentialsError:
        raise FatalError("DynamoDB: there are no credentials; give boto3 a role, a profile or a key") from None
    except BotoCoreError as error:
        raise TransientError(f"DynamoDB: {doing}: {_line(error)}", retry_after_s=1.0) from None
    except ClientError as error:
        raise _translated(error, doing, missing) from None


def _translated(error: Any, doing: str, missing: str) -> Exception:
    code, message = error.response["Error"]["Code"], _line(error.response["Error"].get("Message", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in {"ConditionalCheckFailedException", "TransactionCanceledException"}:
        return cast("Exception", error)
    if code in _THROTTLED:
        return TransientError(f"DynamoDB: {doing}: throttled", retry_after_s=1.0, overload=True)
    if code in _OUTAGES or status >= _SERVER_FAULT:
        return TransientError(f"DynamoDB: {doing}: {code}", retry_after_s=1.0)
    if code == "ResourceNotFoundException":
        return FatalError(f"DynamoDB: {doing}: a table is missing; {missing}")
    if code == "ValidationException" and "size" in message:
        return ItemTooLargeError(f"DynamoDB: {doing}: {message}")
    return FatalError(f"DynamoDB: {doing}: {code}: {message}")


def _line(text: object) -> str:
    return " ".join(str(text).split())
