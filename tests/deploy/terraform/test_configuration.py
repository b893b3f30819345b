"""The files: formatted, valid, and planned in both environments by the real provider."""

import re
from pathlib import Path

import pytest

from tests.deploy.terraform.conftest import Planned
from tests.deploy.terraform.table import Table
from tests.deploy.terraform.tool import resources
from tests.deploy.terraform.workspace import DEPLOY, VARIABLES, Workspace


def test_files_are_formatted(workspace: Workspace) -> None:
    """`terraform fmt` changes nothing."""
    said = workspace.root("").run("fmt", "-check", "-recursive", "-no-color", str(DEPLOY / "terraform"))
    assert (said.code, said.out) == (0, "")


@pytest.mark.parametrize("place", ["envs/dev", "envs/prod"])
def test_an_environment_is_valid(workspace: Workspace, place: str) -> None:
    """The provider knows every resource and argument, and accepts every value that is there."""
    said = workspace.root(place).run("validate", "-no-color")
    assert said.code == 0, said.out


def test_the_state_has_a_bucket_to_be_in(workspace: Workspace) -> None:
    """The root that makes it is valid by itself."""
    root = workspace.root("state")
    said = root.init()
    assert said.code == 0, said.out
    said = root.run("validate", "-no-color")
    assert said.code == 0, said.out


def test_the_rules_hold(workspace: Workspace, table: Table) -> None:
    """`terraform test`: what is planned in either mode, and what is refused, with AWS played by mocks."""
    said = workspace.root("modules/stack").run("test", "-no-color")
    assert said.code == 0, said.out
    summary = re.search(r"(\d+) passed, (\d+) failed", said.out)
    assert summary is not None
    assert int(summary[1]) > 20
    table.row("terraform test", "modules/stack", summary[0])


def test_an_environment_is_planned(plans: dict[str, Planned]) -> None:
    """The real provider plans each environment whole."""
    for environment in VARIABLES:
        kinds = {each["type"] for each in plans[environment].resources()}
        assert {
            "aws_msk_cluster",
            "aws_ecs_service",
            "aws_ebs_volume",
            "aws_s3_bucket",
            "aws_appautoscaling_policy",
        } <= kinds


def test_a_role_never_has_more_tasks_than_partitions(plans: dict[str, Planned]) -> None:
    """No environment plans more tasks than the topic has partitions: twelve."""
    for planned in plans.values():
        targets = [each["values"] for each in planned.resources("aws_appautoscaling_target")]
        tasks = [each["max_capacity"] for each in targets if each["service_namespace"] == "ecs"]
        assert tasks
        assert max(tasks) <= 12


def test_three_brokers_speak_tls_and_ask_who_is_there(plans: dict[str, Planned]) -> None:
    """MSK as planned: a broker in each zone, TLS alone, IAM alone, our key on disks that grow."""
    for planned in plans.values():
        (cluster,) = (each["values"] for each in planned.resources("aws_msk_cluster"))
        (access,) = cluster["client_authentication"]
        (encryption,) = cluster["encryption_info"]
        assert cluster["number_of_broker_nodes"] == 3
        assert encryption["encryption_in_transit"] == [{"client_broker": "TLS", "in_cluster": True}]
        assert access["unauthenticated"] is False
        assert [(each["iam"], each["scram"]) for each in access["sasl"]] == [(True, False)]
        dimensions = {each["values"]["scalable_dimension"] for each in planned.resources("aws_appautoscaling_target")}
        assert "kafka:broker-storage:VolumeSize" in dimensions


def test_the_documents_first_step_makes_what_the_operator_needs(workspace: Workspace, tmp_path: Path) -> None:
    """Before a role runs: brokers, a way out, rules and rights, so that topics can be made; and no service yet."""
    told = "".join(path.read_text() for path in (DEPLOY.parent / "docs").glob("deploy*.md"))
    targets = re.findall(r"-target=module\.ticketstream\.module\.\w+(?=\s)", told)
    assert targets
    root = workspace.root("envs/prod")
    said = root.plan(VARIABLES["prod"], *targets, to=tmp_path / "first.tfplan")
    assert said.code == 0, said.errors()
    made = resources(root.show(tmp_path / "first.tfplan")["planned_values"]["root_module"])
    kinds = {each["type"] for each in made}
    rules = [each["values"]["description"] for each in made if each["type"] == "aws_vpc_security_group_ingress_rule"]
    assert kinds >= {"aws_msk_cluster", "aws_route", "aws_ecr_repository", "aws_secretsmanager_secret", "aws_s3_bucket"}
    assert "workers: read and write topics" in rules
    assert any('policy.task["operator"]' in each["address"] for each in made)
    assert "aws_ecs_service" not in kinds


def test_the_index_is_of_the_version_that_compose_runs() -> None:
    """Qdrant's image is the same one wherever it is deployed."""
    used = {
        path.relative_to(DEPLOY).as_posix(): set(re.findall(r"qdrant/qdrant:(v[\w.-]+)", path.read_text()))
        for path in [DEPLOY / "compose.yaml", *DEPLOY.glob("terraform/envs/*/main.tf")]
        if path.exists()
    }
    assert used
    assert len(set.union(*used.values())) == 1, used
