"""A DynamoDB in this process, and a client of it whose calls fail."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws

from connectors.dynamodb import Client

REGION: Final = "eu-central-1"


@contextmanager
def dynamodb() -> Iterator[Client]:
    """A DynamoDB in this process. It takes one call at a time.

    moto rolls a failed transaction back by restoring whole tables, which undoes concurrent writes.
    """
    with mock_aws():
        client = boto3.client("dynamodb", region_name=REGION)
        one_at_a_time = threading.Lock()
        call = client._make_api_call

        def locked(*arguments: object) -> object:
            with one_at_a_time:
                return call(*arguments)

        client._make_api_call = locked
        yield client


class FaultyClient:
    """A client whose next calls fail."""

    def __init__(self, client: Any) -> None:
        self.real = client
        self.faults: list[Exception] = []
        self.replaced: dict[str, Callable[..., Any]] = {}
        self.calls = 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            self.calls += 1
            if self.faults:
                raise self.faults.pop(0)
            return (self.replaced.get(name) or getattr(self.real, name))(**request)

        return call


def refusal(code: str, *reasons: str, status: int = 400) -> ClientError:
    """The error that boto3 raises for this code; `reasons` are those of a cancelled transaction's items."""
    response = {
        "Error": {"Code": code, "Message": "no"},
        "ResponseMetadata": {"HTTPStatusCode": status},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }
    return ClientError(response, "Call")
