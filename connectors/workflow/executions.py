"""Executions of the state machine in AWS Step Functions."""

from typing import Any, Final

import msgspec
from msgspec import Struct

from connectors.aws import open_client
from connectors.workflow.errors import NO_REGION, translated
from core.workflow import TicketRef

_EXISTS: Final = "ExecutionAlreadyExists"


class StepFunctions(Struct, frozen=True, eq=False):
    """Implements `core.workflow.Executions` with a boto3 client."""

    client: Any
    arn: str

    def start(self, name: str, ticket: TicketRef) -> bool:
        """See `Executions`."""
        given = msgspec.json.encode(ticket).decode()
        with translated("Step Functions: starting the workflow", expected=_EXISTS) as found:
            self.client.start_execution(stateMachineArn=self.arn, name=name, input=given)
        return not found


def open_executions(arn: str, region: str | None) -> StepFunctions:
    """A client of a state machine, with the process's own credentials.

    Raises:
        ConfigError: no region is configured.
    """
    return StepFunctions(open_client("stepfunctions", region, no_region=NO_REGION), arn)
