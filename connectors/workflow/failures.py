"""The queue of failed executions in Amazon SQS: EventBridge's events about their status."""

import logging
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from connectors.aws import open_client
from connectors.workflow.errors import NO_REGION, translated
from core.workflow import Failure, TicketRef

logger: Final = logging.getLogger("ticketstream.workflow")

#: Seconds for which a message that was read is shown to nobody else.
_HELD_S: Final = 120
_WAIT_S: Final = 1
_PAGE: Final = 10
#: An empty answer of SQS may be a mistake of one of its hosts.
_EMPTY: Final = 2


class _Detail(Struct, frozen=True):
    name: str
    status: str
    input: str
    stop_date: int | None = field(name="stopDate", default=None)
    error: str | None = None
    cause: str | None = None


class _StatusChange(Struct, frozen=True):
    """An event: https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html."""

    detail: _Detail


_EVENTS: Final = msgspec.json.Decoder(_StatusChange)
_TICKETS: Final = msgspec.json.Decoder(TicketRef)


class FailureQueue(Struct, frozen=True, eq=False):
    """Implements `core.workflow.Failures` with a boto3 client."""

    client: Any
    url: str

    def take(self) -> Sequence[Failure]:
        """See `Failures`. A message that isn't an event about an execution stays in the queue, and is logged."""
        found: dict[str, Failure] = {}
        empty = 0
        while empty < _EMPTY:
            with translated("SQS: reading the failed executions"):
                messages = self.client.receive_message(
                    QueueUrl=self.url, MaxNumberOfMessages=_PAGE, VisibilityTimeout=_HELD_S, WaitTimeSeconds=_WAIT_S
                ).get("Messages", [])
            empty = 0 if messages else empty + 1
            for message in messages:
                failure = _failure(message["Body"], message["ReceiptHandle"])
                if failure is None:
                    logger.warning("message %s of the queue is not a failed execution", message["MessageId"])
                else:
                    found[message["MessageId"]] = failure
        return sorted(found.values(), key=lambda one: (one.stopped_ms, one.name))

    def give_back(self, failures: Sequence[Failure]) -> None:
        """See `Failures`."""
        for failure in failures:
            with translated("SQS: giving failed executions back", expected="MessageNotInflight"):
                self.client.change_message_visibility(
                    QueueUrl=self.url, ReceiptHandle=failure.handle, VisibilityTimeout=0
                )

    def remove(self, failure: Failure) -> None:
        """See `Failures`."""
        with translated("SQS: removing a failed execution"):
            self.client.delete_message(QueueUrl=self.url, ReceiptHandle=failure.handle)


def _failure(body: str, handle: str) -> Failure | None:
    try:
        detail = _EVENTS.decode(body).detail
        ticket = _TICKETS.decode(detail.input)
    except msgspec.MsgspecError:
        return None
    return Failure(
        handle=handle,
        name=detail.name,
        ticket=ticket,
        status=detail.status,
        error=detail.error or "",
        cause=detail.cause or "",
        stopped_ms=detail.stop_date or 0,
    )


def open_failures(url: str, region: str | None) -> FailureQueue:
    """A client of the queue, with the process's own credentials.

    Raises:
        ConfigError: no region is configured.
    """
    return FailureQueue(open_client("sqs", region, no_region=NO_REGION), url)
