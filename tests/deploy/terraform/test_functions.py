"""The Lambda functions, as planned: as the code needs them, and called by those who may. tests/aws tries the roles."""

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from lambdas.contents import FUNCTIONS, PYTHON
from lambdas.sending import NEEDED_S
from tests.deploy.terraform.conftest import Planned
from tests.deploy.terraform.workspace import ACCOUNT, REGION, VARIABLES, Workspace

#: The functions of the module; others create the rest.
_NAMES: Final = {"outbox", "pre_token", "responses", "tickets", "transformation"}
_OURS: Final = re.compile(r"module\.functions\[0\]\.module\.(lambdas|trigger)")
_GATEWAY_S: Final = 29
_COGNITO_S: Final = 5
_KEY: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/12345678-1234-1234-1234-123456789012"


def _functions(planned: Planned) -> dict[str, dict[str, Any]]:
    found = planned.resources("aws_lambda_function")
    return {each["index"]: each["values"] for each in found if _OURS.search(each["address"])}


def test_every_function_of_the_code_is_planned(plans: dict[str, Planned]) -> None:
    """Each function has the runtime that its zip is built for and the handler of its module, in both environments."""
    for environment, planned in plans.items():  # prod names another function that rotates
        found = _functions(planned)
        assert set(found) == (_NAMES if environment == "prod" else _NAMES | {"rotation"})
        for name, function in found.items():
            assert function["runtime"] == f"python{PYTHON}"
            assert function["handler"] == f"{FUNCTIONS[name].module}.handler"
            assert function["architectures"] == ["x86_64"]
            assert function["tracing_config"] == [{"mode": "Active"}]
            assert function["reserved_concurrent_executions"] > 0


def test_only_settings_are_given_a_key(plans: dict[str, Planned]) -> None:
    """AWS drops the key of a function without settings, so that each plan would give it again."""
    for name, function in _functions(plans["prod"]).items():
        # The key's ARN is known after the apply, so it is not among the values.
        assert ("kms_key_arn" in function) is not bool(function["environment"]), name
        assert function.get("kms_key_arn") is None


def test_a_function_ends_before_its_caller_gives_up(plans: dict[str, Planned]) -> None:
    """API Gateway waits 29 s and Cognito 5 s; a function that sends has time for a send."""
    timeouts_s = {name: function["timeout"] for name, function in _functions(plans["prod"]).items()}
    assert max(timeouts_s["tickets"], timeouts_s["responses"]) < _GATEWAY_S
    assert timeouts_s["pre_token"] < _COGNITO_S
    assert min(timeouts_s["outbox"], timeouts_s["transformation"]) > NEEDED_S


def test_a_function_that_calls_the_vpc_is_in_it(plans: dict[str, Planned]) -> None:
    """All functions but the pre-token trigger, which calls nothing, are in the private subnets."""
    inside = {name for name, function in _functions(plans["prod"]).items() if function["vpc_config"]}
    assert inside == _NAMES - {"pre_token"}


def test_logs_are_kept_for_a_month(plans: dict[str, Planned]) -> None:
    """Each function writes to a log group of 30 days, whose name the key of logs admits."""
    groups = {
        each["index"]: each["values"]
        for each in plans["prod"].resources("aws_cloudwatch_log_group")
        if _OURS.search(each["address"])
    }
    for name, function in _functions(plans["prod"]).items():
        assert groups[name]["retention_in_days"] == 30
        assert groups[name]["name"] == f"/ticketstream-prod/function/{name}"
        assert function["logging_config"][0]["log_group"] == groups[name]["name"]


def test_each_invoker_has_a_permission(plans: dict[str, Planned]) -> None:
    """A trigger without a permission of its own never calls, which no emulator notices."""
    for planned in plans.values():
        targets = {each["address"].rpartition(".")[2] for each in planned.resources("aws_cloudwatch_event_target")}
        assert targets == {"outbox", "raw[0]", "failures", "this"}
        granted = {
            each["index"]: (each["values"]["principal"], each["values"].get("source_account"))
            for each in planned.resources("aws_lambda_permission")
            if _OURS.search(each["address"])
        }
        assert granted["outbox-schedule"] == ("events.amazonaws.com", None)
        assert granted["transformation-events"] == ("events.amazonaws.com", None)
        # The ARN of a bucket names no account.
        assert granted["transformation-bucket-0"] == ("s3.amazonaws.com", ACCOUNT)
        for each in planned.resources("aws_lambda_permission"):
            assert each["values"]["action"] == "lambda:InvokeFunction"


def test_the_outbox_loses_no_batch(plans: dict[str, Planned]) -> None:
    """A failed batch is halved and tried until its records expire, then written to the queue; nothing is skipped."""
    for planned in plans.values():
        (mapping,) = (
            each["values"]
            for each in planned.resources("aws_lambda_event_source_mapping")
            if "module.functions[0]" in each["address"]
        )
        assert mapping["maximum_retry_attempts"] == -1
        assert mapping["bisect_batch_on_function_error"] is True
        assert not mapping["function_response_types"]  # no partial failures: docs/lambdas.md
        assert mapping["starting_position"] == "TRIM_HORIZON"
        assert len(mapping["destination_config"]) == 1
        (pattern,) = mapping["filter_criteria"][0]["filter"]
        wanted = {"eventName": ["INSERT"], "dynamodb": {"Keys": {"pk": {"S": [{"prefix": "outbox/"}]}}}}
        assert json.loads(pattern["pattern"]) == wanted
        (table,) = (
            each["values"] for each in planned.resources("aws_dynamodb_table") if each.get("index") == "TicketMetadata"
        )
        assert (table["stream_enabled"], table["stream_view_type"]) == (True, "KEYS_ONLY")


def test_raw_objects_are_decrypted_with_their_key(workspace: Workspace) -> None:
    """The function `transformation` may use the key of your buckets' objects, through S3 only."""
    root = workspace.root("modules/functions")
    result = root.init()
    assert result.code == 0, result.out
    tables = {name: f"table/{name}" for name in ("TicketMetadata", "Tickets", "UserSessions")}
    given: dict[str, Any] = {
        "name": "ticketstream-dev",
        "global_name": "ticketstream-dev-use1",
        "account_id": ACCOUNT,
        "region": REGION,
        "partition": "aws",
        "zips": "zips",
        "raw": {"map": "ticket_id=id", "buckets": ["raw-records"], "key_arn": _KEY},
        "tables": {"arns": tables, "prefix": "", "key_arn": "", "with_stream": False},
        "kafka": {"arn": "cluster/a/b", "settings": {}},
        "api_settings": {},
        "rag_url": "https://tickets.example.com",
        "network": {"subnets": [], "security_groups": {}},
        "key_arn": "",
        "log_key_arn": "",
        "log_days": "30",
        "topics": {},
    }
    statements = root.evaluate("local.functions.transformation.statements", given)
    (decrypt,) = (each for each in statements if each["sid"] == "DecryptObjects")
    assert (decrypt["actions"], decrypt["resources"]) == (["kms:Decrypt"], [_KEY])
    assert decrypt["condition"] == {"StringLike": {"kms:ViaService": ["s3.*.amazonaws.com"]}}


@pytest.mark.thorough
def test_a_missing_zip_is_one_line(workspace: Workspace, tmp_path: Path) -> None:
    """A plan without the zips says which is missing and how to build it."""
    given = VARIABLES["dev"] | {"functions": {"zips": "nowhere"}}
    result = workspace.root("envs/dev").plan(given, to=tmp_path / "none.tfplan")
    assert result.code != 0
    assert "There is no nowhere/pre_token.zip: build it with `make lambda-zip`." in result.errors()


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"services": None}, "functions need services"),
        (
            {
                "kafka_authentication": "scram",
                "kafka_scram_secrets": ["arn:aws:secretsmanager:us-east-1:123456789012:secret:AmazonMSK_a"],
            },
            "functions need kafka.authentication",
        ),
    ],
)
def test_functions_without_what_they_need_are_refused(
    workspace: Workspace, change: dict[str, Any], message: str
) -> None:
    """The plan refuses functions without their services, and those that would need a password for Kafka."""
    result = workspace.root("envs/prod").plan(VARIABLES["prod"] | change)
    assert result.code != 0
    assert message in result.errors()
