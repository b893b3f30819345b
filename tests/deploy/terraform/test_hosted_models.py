"""Models on SageMaker and Bedrock: off by default, encrypted, with roles that may do their work and nothing else."""

import json
from typing import Any, Final

import pytest
from moto.iam.access_control import IAMPolicy, PermissionResult

from core.language_model_settings import LanguageModelSettings
from deploy.cost import lines, read_prices
from tests.deploy.terraform.cloudwatch_metrics import METRICS
from tests.deploy.terraform.conftest import Planned
from tests.deploy.terraform.hosted_models import GROUP, KEY, REPOSITORY, SUBNET, TICKETS_KEY
from tests.deploy.terraform.test_evaluator import faults_of, metric_of
from tests.deploy.terraform.workspace import ACCOUNT, DEPLOY, REGION

_LOGS: Final = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/sagemaker"
_INTERFACE: Final = f"arn:aws:ec2:{REGION}:{ACCOUNT}:network-interface/eni-1"
_S3: Final = f"s3.{REGION}.amazonaws.com"


def _of(planned: Planned, kind: str, module: str = "trial") -> list[dict[str, Any]]:
    """The values of the resources of a type in one of the root's modules."""
    place = f"module.{module}."
    return [each["values"] for each in planned.resources(kind) if each["address"].startswith(place)]


def _policy(planned: Planned, role: str, module: str = "trial") -> dict[str, Any]:
    (found,) = (
        each["values"]
        for each in planned.resources("aws_iam_role_policy")
        if each["address"] == f'module.{module}.aws_iam_role_policy.this["{role}"]'
    )
    return dict(json.loads(found["policy"]))


def _allows(document: dict[str, Any], action: str, resource: str) -> bool:
    """Whether a policy allows a call, if its conditions are met."""
    policy = IAMPolicy(json.dumps({**document, "Statement": [_bare(one) for one in document["Statement"]]}))
    return policy.is_action_permitted(action, resource) is PermissionResult.PERMITTED


def _bare(statement: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in statement.items() if name != "Condition"}


def test_nothing_is_hosted_by_default(plans: dict[str, Planned]) -> None:
    """Neither environment has a resource of SageMaker or Bedrock unless it asks for one."""
    for planned in plans.values():
        assert [one["address"] for one in planned.resources() if "hosted_models" in one["address"]] == []


def test_the_registry_needs_no_endpoint(hosted_models: Planned) -> None:
    """Without options there is a group for label models, and nothing that costs or may do anything."""
    kinds = [each["type"] for each in hosted_models.resources() if each["address"].startswith("module.bare.")]
    assert kinds == ["aws_sagemaker_model_package_group"]


def test_the_endpoint_is_encrypted_in_the_vpc_and_captures_nothing(hosted_models: Planned) -> None:
    """The model has our image and an address in our subnets; texts stay in the containers."""
    (model,) = _of(hosted_models, "aws_sagemaker_model")
    (container,) = model["primary_container"]
    assert container["image"] == "registry/encoder:0.2.0"
    assert model["vpc_config"] == [{"security_group_ids": ["sg-1"], "subnets": ["subnet-1"]}]
    (configuration,) = _of(hosted_models, "aws_sagemaker_endpoint_configuration")
    assert configuration["kms_key_arn"] == KEY
    assert configuration["data_capture_config"] == []
    (endpoint,) = _of(hosted_models, "aws_sagemaker_endpoint")
    (rollback,) = endpoint["deployment_config"][0]["auto_rollback_configuration"]
    assert rollback["alarms"] == [{"alarm_name": "trial-encoder-errors"}]


def test_logs_are_kept_for_a_month(hosted_models: Planned) -> None:
    """SageMaker would keep the logs of an endpoint and of jobs for ever; only one stack makes the group of all jobs."""
    logs = {
        module: {
            log["name"]: log["retention_in_days"] for log in _of(hosted_models, "aws_cloudwatch_log_group", module)
        }
        for module in ("trial", "capturing", "bare")
    }
    endpoints = "/aws/sagemaker/Endpoints"
    assert logs == {
        "trial": {f"{endpoints}/trial-encoder": 30, "/aws/sagemaker/TrainingJobs": 30},
        "capturing": {f"{endpoints}/capturing-encoder": 30},
        "bare": {},
    }


def test_captured_calls_are_encrypted_with_a_key_of_yours(hosted_models: Planned) -> None:
    """Capture copies a share to your bucket; a machine with its own disk gets no key, which SageMaker would refuse."""
    (configuration,) = _of(hosted_models, "aws_sagemaker_endpoint_configuration", "capturing")
    assert configuration["kms_key_arn"] is None
    (capture,) = configuration["data_capture_config"]
    assert (capture["enable_capture"], capture["initial_sampling_percentage"]) == (True, 5)
    assert (capture["destination_s3_uri"], capture["kms_key_id"]) == ("s3://captures/captured", TICKETS_KEY)
    document = _policy(hosted_models, "endpoint", "capturing")
    assert _allows(document, "s3:PutObject", "arn:aws:s3:::captures/captured/x.jsonl")
    assert not _allows(document, "s3:PutObject", "arn:aws:s3:::models/minilm/model.onnx")


def test_machines_are_added_by_calls(hosted_models: Planned) -> None:
    """Target tracking on the calls of a machine in a minute, within the bounds."""
    (target,) = _of(hosted_models, "aws_appautoscaling_target")
    assert (target["min_capacity"], target["max_capacity"]) == (2, 6)
    assert target["scalable_dimension"] == "sagemaker:variant:DesiredInstanceCount"
    assert target["resource_id"] == "endpoint/trial-encoder/variant/all"
    (policy,) = _of(hosted_models, "aws_appautoscaling_policy")
    (tracking,) = policy["target_tracking_scaling_policy_configuration"]
    assert tracking["target_value"] == 600
    (metric,) = tracking["predefined_metric_specification"]
    assert metric["predefined_metric_type"] == "SageMakerVariantInvocationsPerInstance"


_MODEL: Final = "arn:aws:s3:::models/minilm/model.onnx"
_LABELS: Final = "arn:aws:s3:::models/labels/job/output/model.tar.gz"
_TICKETS: Final = "arn:aws:s3:::exports/labelled/train/a.jsonl"


@pytest.mark.parametrize(
    ("action", "resource", "endpoint", "training"),
    [
        ("ecr:BatchGetImage", REPOSITORY, True, True),
        ("ecr:PutImage", REPOSITORY, False, False),
        ("ecr:BatchGetImage", REPOSITORY.replace("encoder", "pipeline"), False, False),
        ("s3:GetObject", _MODEL, True, True),
        ("s3:GetObject", _MODEL.replace("minilm", "other"), False, False),
        ("s3:PutObject", _MODEL, False, False),
        ("s3:GetObject", _TICKETS, False, True),
        ("s3:GetObject", _TICKETS.replace("labelled", "invoices"), False, False),
        ("s3:PutObject", _TICKETS, False, False),
        ("s3:PutObject", _LABELS, False, True),
        ("s3:DeleteObject", _LABELS, False, False),
        ("kms:Decrypt", KEY, True, True),
        ("kms:GenerateDataKey", KEY, False, True),
        ("kms:Decrypt", TICKETS_KEY, False, True),
        ("kms:GenerateDataKey", TICKETS_KEY, False, False),
        ("logs:PutLogEvents", f"{_LOGS}/Endpoints/trial-encoder:log-stream:all/1", True, False),
        ("logs:PutLogEvents", f"{_LOGS}/Endpoints/other:log-stream:all/1", False, False),
        ("logs:PutLogEvents", f"{_LOGS}/TrainingJobs:log-stream:job/1", False, True),
        ("ec2:CreateNetworkInterface", SUBNET, True, True),
        ("ec2:CreateNetworkInterface", GROUP, True, True),
        ("ec2:CreateNetworkInterface", SUBNET.replace("subnet-1", "subnet-2"), False, False),
        ("ec2:DeleteNetworkInterface", _INTERFACE, True, True),
        ("sagemaker:CreateModelPackage", f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/x/1", False, False),
        ("sagemaker:InvokeEndpoint", f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/trial-encoder", False, False),
        ("dynamodb:GetItem", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/Tickets", False, False),
        ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:x", False, False),
    ],
)
def test_a_role_may_do_its_work_and_nothing_else(
    hosted_models: Planned, action: str, resource: str, endpoint: bool, training: bool
) -> None:
    """The endpoint reads its model; a job also reads labelled tickets and writes label models."""
    assert _allows(_policy(hosted_models, "endpoint"), action, resource) is endpoint
    assert _allows(_policy(hosted_models, "training"), action, resource) is training


def test_rights_have_their_conditions(hosted_models: Planned) -> None:
    """Keys are used through S3 only, interfaces are those of our subnets, and only this account's jobs get a role."""
    for role in ("endpoint", "training"):
        found = {each["Sid"]: each.get("Condition") for each in _policy(hosted_models, role)["Statement"]}
        assert found["LeaveVpc"] == {"ArnEquals": {"ec2:Subnet": [SUBNET]}}
        through = {"StringEquals": {"kms:ViaService": [_S3]}}
        assert found["DecryptModels" if role == "endpoint" else "UseModelsKey"] == through
    assert found["EncryptDisk"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    assert found["ListTickets"] == {"StringLike": {"s3:prefix": ["labelled/*"]}}
    for made in _of(hosted_models, "aws_iam_role"):
        (trust,) = json.loads(made["assume_role_policy"])["Statement"]
        assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}
        assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_whoever_trains_may_register_but_not_approve(hosted_models: Planned) -> None:
    """`ticketstream model register` adds a version; sagemaker:UpdateModelPackage approves one."""
    (call,) = (one for one in _of(hosted_models, "aws_iam_policy") if one["name"].endswith("-call-encoder"))
    endpoint = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/"
    assert _allows(json.loads(call["policy"]), "sagemaker:InvokeEndpoint", f"{endpoint}trial-encoder")
    assert not _allows(json.loads(call["policy"]), "sagemaker:InvokeEndpoint", f"{endpoint}other")
    # The policy for those who train names the role, which is known after the apply.
    text = (DEPLOY / "terraform" / "modules" / "hosted_models" / "roles.tf").read_text()
    assert "sagemaker:CreateModelPackage" in text
    assert "UpdateModelPackage" not in text


def test_the_guardrail_blocks_attacks_and_secrets(hosted_models: Planned) -> None:
    """Questions are checked for attacks alone, drafts for the rest, and nothing is masked."""
    (guardrail,) = _of(hosted_models, "aws_bedrock_guardrail")
    (policy,) = guardrail["content_policy_config"]
    strengths = {one["type"]: (one["input_strength"], one["output_strength"]) for one in policy["filters_config"]}
    assert strengths.pop("PROMPT_ATTACK") == ("HIGH", "NONE")
    assert set(strengths.values()) == {("NONE", "HIGH")}
    (secrets,) = guardrail["sensitive_information_policy_config"]
    assert {one["action"] for one in secrets["pii_entities_config"]} == {"BLOCK"}
    (version,) = _of(hosted_models, "aws_bedrock_guardrail_version")
    assert version["skip_destroy"] is True
    assert LanguageModelSettings(bedrock_guardrail="abc123def456:1")


def test_every_alarm_fires_and_is_silent(hosted_models: Planned) -> None:
    """Each is on a metric of SageMaker, fires in time, is silent otherwise, and has a row in the runbook."""
    alarms = _of(hosted_models, "aws_cloudwatch_metric_alarm")
    assert len(alarms) == 3
    runbook = (DEPLOY.parent / "docs" / "deploy-aws.md").read_text()
    for alarm in alarms:
        assert METRICS[alarm["namespace"], alarm["metric_name"]] == set(alarm["dimensions"])
        assert faults_of(alarm, metric_of(alarm)) == [], alarm["alarm_name"]
        assert f"| `{alarm['tags']['runbook']}` |" in runbook


def test_an_endpoint_is_priced_by_its_machines(hosted_models: Planned) -> None:
    """Two machines run whether they are called or not."""
    content = {**hosted_models.content["planned_values"]["root_module"]}
    content["child_modules"] = [one for one in content["child_modules"] if one["address"] == "module.trial"]
    found = lines({"planned_values": {"root_module": content}}, read_prices())
    assert {(line.key, line.quantity) for line in found} == {("sagemaker-m5.large", 2), ("alarm", 3)}
