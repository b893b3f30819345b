"""The Terraform module of the workflow, applied by the real provider: rights, queue, definition and alarms."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.aws.states import STEPS
from tests.deploy.terraform.conftest import require
from tests.deploy.terraform.emulators import MINISTACK, start_ministack
from tests.deploy.terraform.test_evaluator import faults_of, metric_of
from tests.deploy.terraform.tool import find_tool, resources
from tests.deploy.terraform.workspace import ACCOUNT, REGION, Workspace

_FUNCTION: Final = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
_FUNCTIONS: Final = {step: f"{_FUNCTION}{step}" for step in STEPS}
_MAIN: Final = f"""
provider "aws" {{
  region = "{REGION}"
}}

module "workflow" {{
  source      = "../modules/workflow"
  name        = "trial"
  global_name = "trial-use1"
  account_id  = "{ACCOUNT}"
  region      = "{REGION}"
  partition   = "aws"
  functions   = {json.dumps(_FUNCTIONS)}
  key_arn     = "arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
  log_key_arn = "arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
  log_days    = 30
  topics      = {{ for name in ["critical", "warning"] : name => "arn:aws:sns:{REGION}:{ACCOUNT}:${{name}}" }}
}}
"""

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[dict[str, Any]]]:
    """The module's resources. They can be destroyed."""
    tool = find_tool()
    if tool is None:
        pytest.skip("terraform 1.11 or newer is not installed")
    require(MINISTACK)
    workspace = Workspace.copy(tool, tmp_path_factory.mktemp("workflow") / "deploy")
    folder = workspace.folder / "terraform" / "trial"
    folder.mkdir()
    (folder / "main.tf").write_text(_MAIN)
    workspace.emulated("trial")
    with start_ministack(tmp_path_factory.mktemp("emulator")) as emulator:
        root = workspace.root("trial", endpoint=emulator.url)
        for result in (root.init(), root.apply({})):
            assert result.code == 0, result.out
        yield resources(root.show()["values"]["root_module"])
        result = root.destroy({})
        assert result.code == 0, result.errors()


def _one(made: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = [each["values"] for each in made if each["type"] == kind]
    return dict(found)


def test_the_machine_is_traced_and_logs_no_data(made: list[dict[str, Any]]) -> None:
    """The definition names the functions and the topic; only errors are logged, without input and output."""
    machine = _one(made, "aws_sfn_state_machine")
    assert "${" not in machine["definition"]
    states = json.loads(machine["definition"])["States"]
    assert {states[step.title()]["Arguments"]["FunctionName"] for step in STEPS} == set(_FUNCTIONS.values())
    assert states["Notify"]["Arguments"]["TopicArn"] == _one(made, "aws_sns_topic")["arn"]
    assert machine["tracing_configuration"] == [{"enabled": True}]
    (logging,) = machine["logging_configuration"]
    assert (logging["level"], logging["include_execution_data"]) == ("ERROR", False)


def test_the_role_may_call_its_steps_and_its_topic_only(made: list[dict[str, Any]]) -> None:
    """Only log deliveries and traces are for all resources, because AWS has no others."""
    policy = json.loads(_one(made, "aws_iam_role_policy")["policy"])
    rights = {each["Sid"]: each for each in policy["Statement"]}
    assert set(rights) == {"CallSteps", "TellDecisions", "EncryptDecisions", "DeliverLogs", "WriteTraces"}
    assert set(rights["CallSteps"]["Resource"]) == set(_FUNCTIONS.values())
    assert rights["TellDecisions"]["Resource"] == [_one(made, "aws_sns_topic")["arn"]]
    assert {sid for sid, each in rights.items() if each["Resource"] == ["*"]} == {"DeliverLogs", "WriteTraces"}
    trust = json.loads(_one(made, "aws_iam_role")["assume_role_policy"])["Statement"][0]
    assert trust["Condition"]["ArnLike"]["aws:SourceArn"].endswith(":stateMachine:trial-workflow")


def test_only_the_rule_writes_to_the_queue(made: list[dict[str, Any]]) -> None:
    """The queue keeps failures for as long as SQS can, and takes those of this state machine only."""
    queue, rule = _one(made, "aws_sqs_queue"), _one(made, "aws_cloudwatch_event_rule")
    assert queue["message_retention_seconds"] == 14 * 86_400
    allowed, denied = json.loads(_one(made, "aws_sqs_queue_policy")["policy"])["Statement"]
    assert allowed["Condition"] == {"ArnEquals": {"aws:SourceArn": rule["arn"]}}
    assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    detail = json.loads(rule["event_pattern"])["detail"]
    assert detail["stateMachineArn"] == [_one(made, "aws_sfn_state_machine")["arn"]]
    assert set(detail["status"]) == {"FAILED", "TIMED_OUT", "ABORTED"}


def test_every_alarm_fires_and_is_silent(made: list[dict[str, Any]]) -> None:
    """Each of the five alarms fires in time, is silent otherwise, and ends by itself, as CloudWatch evaluates it."""
    alarms = [each["values"] for each in made if each["type"] == "aws_cloudwatch_metric_alarm"]
    assert len(alarms) == 5
    assert {alarm["alarm_name"]: faults_of(alarm, metric_of(alarm)) for alarm in alarms} == {
        alarm["alarm_name"]: [] for alarm in alarms
    }
