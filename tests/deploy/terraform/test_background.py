"""The archiver and the producer: their tasks, their settings, and rights that are the calls that their code makes."""

import json
from typing import Any, Final

import pytest
import yaml
from moto.iam.access_control import IAMPolicy, PermissionResult

from core.environment import load_settings
from services.producer.compose import open_sources
from stream.roles import ARCHIVE
from tests.deploy.terraform import dynamodb_calls, s3_calls
from tests.deploy.terraform.conftest import Planned
from tests.deploy.terraform.stacks import Applied
from tests.deploy.terraform.stand_ins import KAFKA_ARN
from tests.deploy.terraform.workspace import ACCOUNT, DEPLOY, REGION, VARIABLES, Workspace

_SIZES: Final[dict[str, Any]] = yaml.safe_load((DEPLOY / "sizes.yaml").read_text())
_ARCHIVE: Final = f"ticketstream-dev-use1-archive-{ACCOUNT}"
_CHECKPOINTS: Final = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/ticketstream-dev-Checkpoints"


@pytest.fixture(scope="module")
def tasks(moto: Applied) -> dict[str, dict[str, Any]]:
    """The registered task definitions, by name."""
    client = moto.emulator.client("ecs")
    return {
        name: client.describe_task_definition(taskDefinition=name)["taskDefinition"] for name in _SIZES["background"]
    }


@pytest.fixture(scope="module")
def documents(moto: Applied) -> dict[str, dict[str, Any]]:
    """The policy of each task role, by task."""
    iam = moto.emulator.client("iam")
    names = {name: f"ticketstream-dev-use1-{name}-task" for name in (*_SIZES["background"], "operator")}
    return {
        name: iam.get_role_policy(RoleName=role, PolicyName="work")["PolicyDocument"] for name, role in names.items()
    }


def _granted(document: dict[str, Any], service: str) -> set[tuple[str, str]]:
    return {
        (action, resource)
        for statement in document["Statement"]
        for resource in statement["Resource"]
        if f":{service}:" in resource
        for action in statement["Action"]
    }


def _allows(document: dict[str, Any], action: str, resource: str) -> bool:
    return IAMPolicy(json.dumps(document)).is_action_permitted(action, resource) is PermissionResult.PERMITTED


def test_a_task_has_the_declared_size_and_settings(tasks: dict[str, dict[str, Any]]) -> None:
    """CPU, memory, port and stop timeout are those of sizes.yaml, and the code accepts and completes the settings."""
    for name, declared in _SIZES["background"].items():
        task = tasks[name]
        main, prepare, collector = task["containerDefinitions"]
        assert (main["name"], prepare["name"], collector["name"]) == (name, "prepare", "collector")
        assert int(task["cpu"]) == declared["vcpu"] * 1024
        assert int(task["memory"]) == declared["memory_mib"]
        assert main["stopTimeout"] == declared["stop_timeout_s"]
        assert main["healthCheck"]["command"][-1] == str(declared["port"])
        assert f"127.0.0.1:{declared['port']}" in collector["environment"][0]["value"]
        given = {each["name"]: each["value"] for each in main["environment"] if each["name"].startswith("TICKETS_")}
        settings = load_settings(given)
        assert (settings.health.host, settings.health.port) == ("127.0.0.1", declared["port"])
        assert settings.kafka.sasl_mechanism == "AWS_MSK_IAM"
        assert settings.writer.drain_timeout_s < declared["stop_timeout_s"]
        if name == "archive":
            assert settings.archive.place == f"s3://{_ARCHIVE}"
            assert str(settings.archive.spool_dir) in {one["containerPath"] for one in main["mountPoints"]}
            assert ARCHIVE.group(settings.kafka) == declared["group"]
        else:
            assert len(open_sources(settings.producer)) == len(VARIABLES["dev"]["producers"]["sources"])
            assert (settings.producer.store, settings.producer.table) == ("dynamodb", "ticketstream-dev-Checkpoints")


def test_the_archiver_may_make_its_own_calls_and_no_others(documents: dict[str, dict[str, Any]]) -> None:
    """Its role grants exactly the calls of S3 that its code makes, in the archive's bucket, and the use of its key."""
    made = s3_calls.calls_of_the_archiver()
    granted = _granted(documents["archive"], "s3")
    for action, resource in made:
        arn = f"arn:aws:s3:::{resource.replace(s3_calls.BUCKET, _ARCHIVE, 1)}"
        assert _allows(documents["archive"], action, arn), (action, arn)
        assert not _allows(documents["archive"], action, arn.replace("-archive-", "-models-"))
    assert {action for action, _ in granted} == {action for action, _ in made}
    assert {resource for _, resource in granted} == {f"arn:aws:s3:::{_ARCHIVE}", f"arn:aws:s3:::{_ARCHIVE}/*"}
    assert {action for action, _ in _granted(documents["archive"], "kms")} == {"kms:Decrypt", "kms:GenerateDataKey"}


def test_nobody_may_delete_from_the_archive(documents: dict[str, dict[str, Any]]) -> None:
    """The operator reads the archive, and no task deletes from it, or reads another version than the newest."""
    arn = f"arn:aws:s3:::{_ARCHIVE}"
    for action, resource in s3_calls.calls_of_a_reader():
        assert _allows(documents["operator"], action, f"arn:aws:s3:::{resource.replace(s3_calls.BUCKET, _ARCHIVE, 1)}")
    assert not _allows(documents["operator"], "s3:PutObject", f"{arn}/tickets.raw/a")
    for document in documents.values():
        for action in ("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:GetObjectVersion", "s3:PutObjectTagging"):
            assert not _allows(document, action, f"{arn}/tickets.raw/a"), action
        assert not _allows(document, "s3:DeleteBucket", arn)


def test_the_producer_may_make_its_own_calls_and_no_others(documents: dict[str, dict[str, Any]]) -> None:
    """Its role grants exactly the calls that its code makes: on its table, and below the prefixes of its sources."""
    made = {(action, f"{_CHECKPOINTS}") for action, _ in dynamodb_calls.calls_of_the_producer()}
    assert _granted(documents["producer"], "dynamodb") == made
    objects = s3_calls.calls_of_the_producer("tickets/", "tickets/a.jsonl")
    objects |= {
        (action, "crm") for action, one in s3_calls.calls_of_the_producer("in/*.csv", "in/a.csv") if "/" not in one
    }
    assert {action for action, _ in _granted(documents["producer"], "s3")} == {action for action, _ in objects}
    for allowed in ("exports/tickets/a.jsonl", "crm/in/a.csv"):
        assert _allows(documents["producer"], "s3:GetObject", f"arn:aws:s3:::{allowed}")
    for denied in ("exports/payroll/a.csv", "crm/out/a.csv", f"{_ARCHIVE}/tickets.raw/a"):
        assert not _allows(documents["producer"], "s3:GetObject", f"arn:aws:s3:::{denied}")
    assert _granted(documents["producer"], "kms") == {
        ("kms:Decrypt", VARIABLES["dev"]["producers"]["source_key_arn"]),
        *(one for one in _granted(documents["producer"], "kms") if "key/12345678-1234" not in one[1]),
    }


def test_each_has_its_own_topics_and_group(documents: dict[str, dict[str, Any]]) -> None:
    """The archiver reads tickets.raw in its group and writes nothing; the producer writes two topics and reads none."""
    names = [one["name"] for one in yaml.safe_load((DEPLOY / "k8s-ecs" / "msk" / "topics.yaml").read_text())["topics"]]
    for name in names:
        arn = f"{KAFKA_ARN.replace(':cluster/', ':topic/')}/{name}"
        assert _allows(documents["archive"], "kafka-cluster:ReadData", arn) is (name == "tickets.raw")
        assert not _allows(documents["archive"], "kafka-cluster:WriteData", arn)
        assert not _allows(documents["producer"], "kafka-cluster:ReadData", arn)
        assert _allows(documents["producer"], "kafka-cluster:WriteData", arn) is (
            name in ("tickets.raw", "tickets.dlq")
        )
    for group, task in (("ticketstream-archive", "archive"), ("ticketstream", None)):
        arn = f"{KAFKA_ARN.replace(':cluster/', ':group/')}/{group}"
        for other in _SIZES["background"]:
            assert _allows(documents[other], "kafka-cluster:AlterGroup", arn) is (other == task)


def test_a_deployment_never_leaves_the_archive_without_a_task(plans: dict[str, Planned]) -> None:
    """New tasks start before old ones stop: there is one archiver, and two may share its work. Producers scale to 4."""
    found = {
        one["values"]["name"]: one["values"]
        for one in plans["prod"].resources("aws_ecs_service")
        if "module.background[" in one["address"]
    }
    assert set(found) == set(_SIZES["background"])
    for name, service in found.items():
        limits = service["deployment_minimum_healthy_percent"], service["deployment_maximum_percent"]
        assert limits == (100, 200)
        assert service["desired_count"] == _SIZES["background"][name]["min_tasks"]
    (target,) = (
        one["values"] for one in plans["prod"].resources("aws_appautoscaling_target") if "cpu_scaling" in one["address"]
    )
    declared = _SIZES["background"]["producer"]
    assert (target["min_capacity"], target["max_capacity"]) == (declared["min_tasks"], declared["max_tasks"]) == (2, 4)


@pytest.mark.thorough
@pytest.mark.parametrize("source", ["/data/in", "https://example.com/in", "s3://", "s3://UPPER/in"])
def test_a_source_that_tasks_do_not_share_is_refused(workspace: Workspace, source: str) -> None:
    """Folders and anything else but buckets are refused by name."""
    result = workspace.root("envs/dev").plan(VARIABLES["dev"] | {"producers": {"sources": [source]}})
    assert result.code == 1
    assert "producers.sources must be" in result.errors()
