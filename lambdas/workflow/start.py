"""Starts the workflow for each new ticket, woken by the stream of the table `Tickets`.

A deleted ticket keeps its item, so an item that is inserted is always a new ticket. The name of an execution follows
from the ticket, so a batch that is delivered again starts nothing twice.
"""

from contextlib import ExitStack
from typing import Final

import msgspec

from connectors.workflow.executions import open_executions
from core.errors import ConfigError
from core.settings import Settings
from core.workflow import Executions, TicketRef, execution_name
from lambdas.function import Call, Event, Handle, logger
from runtime.telemetry import Telemetry

#: The response that tells Lambda that every record was handled.
DONE: Final[Event] = {"batchItemFailures": []}


class Starter:
    """Starts executions for the records of a stream."""

    def __init__(self, executions: Executions) -> None:
        self._executions = executions

    def handle(self, event: Event, _call: Call) -> Event:
        """Start an execution for each new ticket.

        Raises:
            TransientError: some were not started; Lambda delivers the batch again.
            FatalError: AWS refuses.
        """
        for record in event.get("Records", ()):
            ticket = _new_ticket(record)
            if ticket is not None and not self._executions.start(execution_name(ticket), ticket):
                logger.info("the workflow was started before")
        return DONE


def _new_ticket(record: Event) -> TicketRef | None:
    if record.get("eventName") != "INSERT":
        return None
    key = record["dynamodb"]["Keys"]["key"]["S"]
    tenant_id, _, ticket_id = key.partition("/")
    return msgspec.convert({"tenant_id": tenant_id, "ticket_id": ticket_id}, TicketRef)


def open_start(settings: Settings, _stack: ExitStack, _telemetry: Telemetry) -> Handle:
    """The handler, with its client.

    Raises:
        ConfigError: TICKETS_WORKFLOW__STATE_MACHINE_ARN is missing, or no region is configured.
    """
    arn = settings.workflow.state_machine_arn
    if arn is None:
        raise ConfigError("TICKETS_WORKFLOW__STATE_MACHINE_ARN: set it to the ARN of the state machine")
    return Starter(open_executions(arn, settings.workflow.aws_region)).handle
