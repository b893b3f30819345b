"""Settings of the workflow of new tickets on AWS, and of the commands that list and replay its failures."""

from pydantic import Field

from core.setting_types import Group, HttpUrl


class WorkflowSettings(Group):
    """The workflow of new tickets: its Lambda functions, and the commands that list and replay its failures."""

    state_machine_arn: str | None = Field(None, description="ARN of the state machine.")
    queue_url: HttpUrl | None = Field(None, description="URL of the queue of failed executions.")
    aws_region: str | None = Field(None, description="AWS region of state machine and queue; by default boto3's.")
    client_secret_id: str | None = Field(
        None,
        description="Secret in Secrets Manager with the fields `client_id` and `client_secret`, with which the "
        "functions get a token for each ticket's tenant from TICKETS_CLIENT__TOKEN_URL.",
    )
    new_statuses: str = Field(
        "open,new", description="Statuses of tickets that nobody has taken up, comma-separated; others are left alone."
    )
    spam_categories: str = Field("spam", description="Categories of tickets that are filed, comma-separated.")
