"""Opens the store of feedback: a file of this machine, or a table in DynamoDB."""

from contextlib import ExitStack
from typing import Final

from connectors.feedback.dynamodb import open_dynamo_feedback
from connectors.feedback.sqlite import open_feedback
from core.feedback import FeedbackStore
from core.service_settings import RagSettings
from runtime.telemetry import Telemetry

#: The dependency, as metrics name it.
FEEDBACK: Final = "feedback"
_STATES: Final = {"closed": 0, "half-open": 1, "open": 2}


def open_feedback_store(
    settings: RagSettings, stack: ExitStack, *, telemetry: Telemetry | None = None
) -> FeedbackStore:
    """The store that the settings name, which `stack` closes. An outage of DynamoDB raises nothing.

    Raises:
        ConfigError: the file can't be written, or no region is configured.
        UnavailableError: DynamoDB refuses, or the table is missing.
    """
    if settings.feedback_store == "sqlite":
        file = open_feedback(settings.feedback_file)
        stack.callback(file.close)
        return file
    tables = open_dynamo_feedback(prefix=settings.table_prefix, region=settings.aws_region)
    stack.callback(tables.close)
    if telemetry is not None:
        telemetry.track("tickets_circuit_state", lambda: _STATES[tables.state], FEEDBACK)
    return tables
