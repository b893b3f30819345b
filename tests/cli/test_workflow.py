"""`ticketstream workflow` lists and replays failures, and says in one line what is missing."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from cli.main import app
from core.errors import EXIT_FAULT, EXIT_OK, EXIT_USAGE
from core.workflow import TicketRef, execution_name

REGION = "eu-central-1"


def event(ticket_id: str, *, stop: int = 1_767_600_000_000) -> str:
    """EventBridge's event about a failed execution."""
    detail = {
        "executionArn": "arn:aws:states:eu-central-1:123456789012:execution:w:x",
        "name": execution_name(TicketRef("acme", ticket_id)),
        "status": "FAILED",
        "startDate": stop - 1,
        "stopDate": stop,
        "input": json.dumps({"tenant_id": "acme", "ticket_id": ticket_id}),
        "error": "UnavailableError",
        "cause": "The step Answer failed.",
    }
    return json.dumps({"source": "aws.states", "detail": detail})


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """A state machine and a queue with two failures, and settings that name both."""
    with mock_aws():
        sqs, states = boto3.client("sqs", REGION), boto3.client("stepfunctions", REGION)
        url = sqs.create_queue(QueueName="failures")["QueueUrl"]
        machine = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
        role = "arn:aws:iam::123456789012:role/r"
        arn = states.create_state_machine(name="w", definition=json.dumps(machine), roleArn=role)["stateMachineArn"]
        for body in (event("T-2", stop=1_767_600_001_000), event("T-1"), "no event"):
            sqs.send_message(QueueUrl=url, MessageBody=body)
        monkeypatch.setenv("TICKETS_WORKFLOW__QUEUE_URL", url)
        monkeypatch.setenv("TICKETS_WORKFLOW__STATE_MACHINE_ARN", arn)
        monkeypatch.setenv("TICKETS_WORKFLOW__AWS_REGION", REGION)
        monkeypatch.setattr("connectors.workflow.failures._WAIT_S", 0)
        yield {"sqs": sqs, "states": states, "url": url, "arn": arn}


def listed() -> list[str]:
    """The tickets that `list --json` prints."""
    result = CliRunner().invoke(app, ["workflow", "list", "--json"])
    assert result.exit_code == EXIT_OK, result.output
    return [row["ticket"] for row in json.loads(result.stdout)]


@pytest.mark.usefixtures("aws")
def test_failures_are_listed_oldest_first() -> None:
    """A list changes nothing, so the next one shows the same; a message that is no failure is passed over."""
    assert listed() == listed() == ["acme/T-1", "acme/T-2"]
    table = CliRunner().invoke(app, ["workflow", "list", "--ticket", "acme/T-2"]).stdout
    assert "acme/T-2" in table
    assert "acme/T-1" not in table


def test_a_replay_starts_executions_and_empties_the_list(aws: dict[str, Any]) -> None:
    """Each ticket's workflow is started once, and what was replayed is listed no more."""
    result = CliRunner().invoke(app, ["workflow", "replay", "--yes", "--ticket", "acme/T-1"])
    assert (result.exit_code, result.stderr) == (EXIT_OK, "1 execution(s) started again\n")
    (found,) = aws["states"].list_executions(stateMachineArn=aws["arn"])["executions"]
    assert found["name"] == execution_name(TicketRef("acme", "T-1"), 2)
    given = aws["states"].describe_execution(executionArn=found["executionArn"])["input"]
    assert json.loads(given) == {"tenant_id": "acme", "ticket_id": "T-1"}
    assert listed() == ["acme/T-2"]
    assert CliRunner().invoke(app, ["workflow", "replay"], input="n\n").exit_code == EXIT_FAULT
    assert listed() == ["acme/T-2"]
    CliRunner().invoke(app, ["workflow", "replay", "--yes"])
    assert "nothing to replay" in CliRunner().invoke(app, ["workflow", "replay"]).stdout


def test_a_failure_that_was_started_before_is_told(aws: dict[str, Any]) -> None:
    """A replay that was interrupted after the start doesn't start it twice."""
    given = json.dumps({"tenant_id": "acme", "ticket_id": "other"})
    name = execution_name(TicketRef("acme", "T-1"), 2)
    aws["states"].start_execution(stateMachineArn=aws["arn"], name=name, input=given)
    result = CliRunner().invoke(app, ["workflow", "replay", "--yes"])
    assert result.stderr == "1 execution(s) started again\n1 had been started again before\n"


@pytest.mark.parametrize(
    ("command", "unset"),
    [
        ("list", "TICKETS_WORKFLOW__QUEUE_URL"),
        ("replay", "TICKETS_WORKFLOW__QUEUE_URL"),
        ("replay", "TICKETS_WORKFLOW__STATE_MACHINE_ARN"),
    ],
)
@pytest.mark.usefixtures("aws")
def test_a_missing_setting_is_one_line(monkeypatch: pytest.MonkeyPatch, command: str, unset: str) -> None:
    """The line names the setting."""
    monkeypatch.delenv(unset)
    result = CliRunner().invoke(app, ["workflow", command])
    assert result.exit_code == EXIT_USAGE
    assert result.stderr.startswith(f"ticketstream: {unset}: set it to")
    assert result.stderr.count("\n") == 1


def test_a_queue_that_is_gone_is_one_line(monkeypatch: pytest.MonkeyPatch, aws: dict[str, Any]) -> None:
    """AWS's refusal is named by its code."""
    monkeypatch.setenv("TICKETS_WORKFLOW__QUEUE_URL", aws["url"] + "x")
    result = CliRunner().invoke(app, ["workflow", "list"])
    assert (result.exit_code, result.stderr.count("\n")) == (EXIT_FAULT, 1)
    assert "SQS: reading the failed executions: " in result.stderr
