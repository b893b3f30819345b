"""The outbox: a DynamoDB stream wakes the ticket API's relay, which sends each ticket's versions in order.

The stream's records aren't read, because the outbox itself holds the events to send. So a repeated batch finds an
empty outbox, the next function sends what a killed one left, and nothing is lost when a record expires from the
stream after a day. Every error is raised, and Lambda delivers the batch again. A part of a batch is never reported as
failed, because the stream would continue behind it.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Final
from uuid import uuid4

from connectors.kafka.outbox import outgoing
from connectors.kafka.producer import Sender
from connectors.ticket_store.dynamodb import open_dynamodb
from core.errors import RefusedError, TransientError
from core.settings import Settings
from core.ticket_store import Outbox, OutboxEvent
from delivery.relay import Relay
from lambdas.function import Call, Event, Function, Handle, logger
from lambdas.sending import NEEDED_S, require_time
from runtime.sender import open_sender
from runtime.telemetry import Telemetry

#: The response that tells Lambda that every record was handled.
DONE: Final[Event] = {"batchItemFailures": []}
_PREFIX: Final = "outbox/"
_MS: Final = 1_000


class Waker:
    """Runs the relay for events about a filled outbox."""

    def __init__(
        self, relay: Relay, outbox: Outbox, telemetry: Telemetry, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """`relay` sends `outbox`; `sleep` waits, in seconds, while another relay has the lease."""
        self._relay = relay
        self._outbox = outbox
        self._telemetry = telemetry
        self._sleep = sleep

    def handle(self, event: Event, call: Call) -> Event:
        """Send the outbox, after a batch of its table's stream or on a schedule.

        Raises:
            TransientError: some events were not sent; a retry may succeed.
            FatalError: the broker refuses, or the topic is missing.
            ConfigError: the function's timeout is too short.
        """
        scheduled = event.get("source") == "aws.events"
        if scheduled or any(_adds_to_outbox(record) for record in event.get("Records", ())):
            self._send(call)
        if scheduled:
            size = self._outbox.size()
            age_s = 0.0 if size.oldest_ms is None else max(0.0, time.time() - size.oldest_ms / _MS)
            self._telemetry.gauge("tickets_outbox_events", size.events)
            self._telemetry.gauge("tickets_outbox_age_seconds", age_s)
        return DONE

    def _send(self, call: Call) -> None:
        require_time(call)
        while not (done := self._relay.run_once()).leads:
            if call.left_s() < NEEDED_S:
                raise TransientError("another relay is sending the outbox and didn't finish in time")
            self._sleep(random.uniform(0.1, 0.5))  # noqa: S311 - jitter
        self._relay.close()
        self._telemetry.count("tickets_outbox_sent_total", by=done.sent)
        if done.reason is not None:
            logger.error("%d tickets are refused by the topic: %s", done.refused, done.reason)


def send_to(sender: Sender, topic: str) -> Callable[[Sequence[OutboxEvent]], Mapping[int, RefusedError]]:
    """The `SendEvents` of a topic."""

    def send(events: Sequence[OutboxEvent], /) -> Mapping[int, RefusedError]:
        return sender.offer([outgoing(event, topic) for event in events])

    return send


def open_outbox(settings: Settings, stack: ExitStack, telemetry: Telemetry) -> Handle:
    """The handler, with its connections open.

    Raises:
        ConfigError: a setting is wrong.
        UnavailableError: the tables can't be reached.
    """
    outbox = open_dynamodb(prefix=settings.api.table_prefix, region=settings.api.aws_region).outbox
    send = send_to(open_sender(settings.kafka, stack), settings.topics.raw)
    return Waker(Relay(outbox, send, owner=f"lambda-{uuid4().hex}"), outbox, telemetry).handle


def _adds_to_outbox(record: Event) -> bool:
    key = record.get("dynamodb", {}).get("Keys", {}).get("pk", {}).get("S", "")
    return record.get("eventName") == "INSERT" and key.startswith(_PREFIX)


handler: Final = Function("outbox", open_outbox)
