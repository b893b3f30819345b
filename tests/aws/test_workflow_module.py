"""The Terraform modules of the workflow, applied by the real provider: rights, queue and definition."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.aws.states import STEPS
from tests.deploy.terraform.conftest import require
from tests.deploy.terraform.dynamodb_calls import calls_of_a_workflow_step
from tests.deploy.terraform.emulators import MINISTACK, start_ministack
from tests.deploy.terraform.tool import find_tool, resources
from tests.deploy.terraform.workspace import ACCOUNT, REGION, Workspace

_FUNCTION: Final = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:trial-workflow-"
_FUNCTIONS: Final = {step: f"{_FUNCTION}{step}" for step in STEPS}
_MACHINE: Final = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:trial-workflow"
_SECRET: Final = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:trial/workflow-client-abcdef"
_TABLE: Final = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/trial-"
_MAIN: Final = f"""
provider "aws" {{
  region = "{REGION}"
}}

module "keys" {{
  source     = "../modules/keys"
  name       = "trial"
  account_id = "{ACCOUNT}"
  region     = "{REGION}"
  partition  = "aws"
}}

module "tables" {{
  source    = "../modules/tables"
  prefix    = "trial-"
  key_arn   = module.keys.arns["data"]
  keep_data = false
  streams   = ["Tickets"]
}}

module "functions" {{
  source      = "../modules/workflow_functions"
  name        = "trial"
  global_name = "trial-use1"
  account_id  = "{ACCOUNT}"
  region      = "{REGION}"
  partition   = "aws"
  zips        = "../zips"
  machine_arn = "{_MACHINE}"

  tables = {{
    arns        = module.tables.arns
    prefix      = "trial-"
    key_arn     = module.keys.arns["data"]
    with_stream = true
    stream      = module.tables.streams["Tickets"]
  }}

  rag_url     = "https://tickets.example.com"
  token_url   = "https://example.auth.{REGION}.amazoncognito.com/oauth2/token"
  secret      = {{ arn = "{_SECRET}", key_arn = module.keys.arns["secrets"] }}
  network     = {{ subnets = ["subnet-1"], security_groups = {{ functions = "sg-1" }} }}
  key_arn     = module.keys.arns["data"]
  log_key_arn = module.keys.arns["telemetry"]
  log_days    = 30
  topics      = local.topics
}}

locals {{
  topics = {{ for name in ["critical", "warning"] : name => "arn:aws:sns:{REGION}:{ACCOUNT}:${{name}}" }}
}}

module "workflow" {{
  source      = "../modules/workflow"
  name        = "trial"
  global_name = "trial-use1"
  account_id  = "{ACCOUNT}"
  region      = "{REGION}"
  partition   = "aws"
  functions   = {{ for step in {json.dumps(STEPS)} : step => module.functions.arns["workflow_${{step}}"] }}
  key_arn     = module.keys.arns["data"]
  log_key_arn = module.keys.arns["telemetry"]
  log_days    = 30
  topics      = local.topics
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
    """The values of the workflow's resource of a type."""
    (found,) = [
        each["values"] for each in made if each["type"] == kind and each["address"].startswith("module.workflow.")
    ]
    return dict(found)


def _granted(made: list[dict[str, Any]], step: str, service: str) -> set[tuple[str, str]]:
    """Every action of a service that a function's role grants, with its resource."""
    (policy,) = (
        json.loads(each["values"]["policy"])
        for each in made
        if each["type"] == "aws_iam_role_policy" and each.get("index") == f"workflow_{step}"
    )
    return {
        (action, resource)
        for statement in policy["Statement"]
        if statement["Effect"] == "Allow"
        for action in statement["Action"]
        if action.startswith(f"{service}:")
        for resource in statement["Resource"]
    }


def test_the_machine_logs_no_data(made: list[dict[str, Any]]) -> None:
    """The definition names the functions and the topic; only errors are logged, without input and output."""
    machine = _one(made, "aws_sfn_state_machine")
    assert "${" not in machine["definition"]
    states = json.loads(machine["definition"])["States"]
    assert {states[step.title()]["Arguments"]["FunctionName"] for step in STEPS} == set(_FUNCTIONS.values())
    assert states["Notify"]["Arguments"]["TopicArn"] == _one(made, "aws_sns_topic")["arn"]
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


@pytest.mark.parametrize("step", STEPS)
def test_a_step_may_make_its_own_calls_and_no_others(made: list[dict[str, Any]], step: str) -> None:
    """On tables a step's role grants exactly the recorded calls of its code; only those that ask read the secret."""
    calls = {(action, f"{_TABLE}{resource}") for action, resource in calls_of_a_workflow_step(step)}
    assert _granted(made, step, "dynamodb") == calls
    assert bool(_granted(made, step, "secretsmanager")) is (step != "decide")
    assert _granted(made, step, "secretsmanager") <= {("secretsmanager:GetSecretValue", _SECRET)}
    assert not _granted(made, step, "states")


def test_the_function_that_starts_reads_the_stream_alone(made: list[dict[str, Any]]) -> None:
    """The function `start` may start this state machine, and read the stream of Tickets, which has keys only."""
    assert _granted(made, "start", "states") == {("states:StartExecution", _MACHINE)}
    granted = _granted(made, "start", "dynamodb")
    assert {action for action, resource in granted if not resource.startswith(f"{_TABLE}Tickets/stream/")} == {
        "dynamodb:ListStreams"
    }
    assert not _granted(made, "start", "secretsmanager")


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
