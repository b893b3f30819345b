"""Events as AWS sends them, and Lambda's context."""

import json
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from lambdas.function import Call, Event

#: The event of a scheduled rule of EventBridge.
SCHEDULE: Final[Event] = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}


class FakeContext(Struct):
    """A context with this much time left, in ms; each look takes `tick_ms`."""

    left_ms: int = 60_000
    aws_request_id: str = "request-1"
    tick_ms: int = 0

    def get_remaining_time_in_millis(self) -> int:
        self.left_ms -= self.tick_ms
        return self.left_ms


def call(left_s: float = 60.0, *, tick_s: float = 0) -> Call:
    """A call with this much time left, of which each look takes `tick_s`."""
    return Call(FakeContext(int(left_s * 1000), tick_ms=int(tick_s * 1000)), "request-1")


def stream_record(ticket: str, *, name: str = "INSERT", partition: str = "outbox/0") -> Event:
    """A record of TicketMetadata's stream, with keys only."""
    return {
        "eventName": name,
        "eventSource": "aws:dynamodb",
        "dynamodb": {"Keys": {"pk": {"S": partition}, "sk": {"S": ticket}}, "SequenceNumber": "1"},
    }


def wake(*tickets: str) -> Event:
    """A batch of the stream."""
    return {"Records": [stream_record(ticket) for ticket in tickets or ("T-1",)]}


def gateway_request(
    method: str, path: str, body: object = None, *, headers: Mapping[str, str] | None = None, **query: str
) -> Event:
    """A proxy event of a REST API (payload version 1.0)."""
    given = {"Content-Type": "application/json", "Host": "api.test"} | dict(headers or {})
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": given,
        "multiValueHeaders": {name: [value] for name, value in given.items()},
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} or None,
        "requestContext": {"requestId": "gateway-1", "identity": {"sourceIp": "203.0.113.7"}, "stage": "prod"},
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


def content(response: Event) -> Any:
    """The JSON of a response."""
    return json.loads(response["body"])
