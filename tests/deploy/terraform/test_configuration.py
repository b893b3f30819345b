"""The files are formatted and valid, and the real provider plans both environments."""

import re
from pathlib import Path
from typing import Any, Final

import pytest

from tests.deploy.terraform.conftest import Planned
from tests.deploy.terraform.table import Table
from tests.deploy.terraform.tool import resources
from tests.deploy.terraform.workspace import DEPLOY, SMALL, VARIABLES, Workspace

#: Files of `terraform test`: of single modules, and of the whole stack.
_OF_MODULES: Final = ["identity", "kafka", "scaling"]
_OF_THE_STACK: Final = ["hosted_models", "stack"]
#: Services by the beginnings of the names of their resource types.
_SERVICES: Final[dict[str, tuple[str, ...]]] = {
    "ACM": ("acm_",),
    "API Gateway": ("api_gateway_",),
    "Application Auto Scaling": ("appautoscaling_",),
    " Auto Scaling": ("autoscaling_",),
    "Backup": ("backup_",),
    "Bedrock": ("bedrock_",),
    "Budgets": ("budgets_",),
    "Cloud Map": ("service_discovery_",),
    "CloudFormation": ("cloudformation_",),
    "CloudFront": ("cloudfront_",),
    "CloudWatch": ("cloudwatch_dashboard", "cloudwatch_metric_"),
    "Cognito": ("cognito_",),
    "DynamoDB": ("dynamodb_",),
    "EC2": ("default_", "ebs_", "eip", "flow_", "internet_", "launch_", "nat_", "route", "security_", "subnet", "vpc"),
    "ECR": ("ecr_",),
    "ECS": ("ecs_",),
    "ELB": ("lb",),
    "ElastiCache": ("elasticache_",),
    "EventBridge": ("cloudwatch_event_",),
    "IAM": ("iam_",),
    "KMS": ("kms_",),
    "Lambda": ("lambda_",),
    "Logs": ("cloudwatch_log_",),
    "MSK": ("msk_",),
    "Route 53": ("route53_",),
    "S3": ("s3_",),
    "SNS": ("sns_",),
    "SQS": ("sqs_",),
    "SageMaker": ("sagemaker_",),
    "Secrets Manager": ("secretsmanager_",),
    "Step Functions": ("sfn_",),
    "WAF": ("wafv2_",),
}


def test_files_are_formatted(workspace: Workspace) -> None:
    """`terraform fmt` changes nothing."""
    result = workspace.root("").run("fmt", "-check", "-recursive", "-no-color", str(DEPLOY / "terraform"))
    assert (result.code, result.out) == (0, "")


@pytest.mark.parametrize("place", ["envs/dev", "envs/prod"])
def test_an_environment_is_valid(workspace: Workspace, place: str) -> None:
    """The provider accepts every resource, argument and value."""
    result = workspace.root(place).run("validate", "-no-color")
    assert result.code == 0, result.out


def test_the_root_of_the_state_bucket_is_valid(workspace: Workspace) -> None:
    """The root module that makes the state bucket is valid."""
    root = workspace.root("state")
    result = root.init()
    assert result.code == 0, result.out
    result = root.run("validate", "-no-color")
    assert result.code == 0, result.out


@pytest.mark.parametrize("place", ["envs/dev", "envs/prod"])
def test_the_lock_file_pins_the_provider_of_the_tests(workspace: Workspace, place: str) -> None:
    """The shipped lock file has the version and the hash of the provider that the tests run with."""
    shipped = (DEPLOY / "terraform" / place / ".terraform.lock.hcl").read_text()
    assert shipped == (workspace.root(place).folder / ".terraform.lock.hcl").read_text()


@pytest.mark.parametrize(
    ("files", "runs"),
    [
        pytest.param(_OF_MODULES, 14, id="modules"),
        pytest.param(_OF_THE_STACK, 33, id="stack", marks=pytest.mark.thorough),  # each run plans the whole stack
    ],
)
def test_terraform_test_passes(workspace: Workspace, table: Table, files: list[str], runs: int) -> None:
    """`terraform test` passes: it plans both modes, and tries every validation, with a mocked provider."""
    options = [f"-filter=tests/{name}.tftest.hcl" for name in files]
    result = workspace.root("modules/stack").run("test", "-no-color", *options)
    assert result.code == 0, result.out
    summary = re.search(r"(\d+) passed, (\d+) failed", result.out)
    assert summary is not None
    assert int(summary[1]) >= runs
    table.row("terraform test", ", ".join(files), summary[0])


def test_no_file_of_terraform_test_is_left_out() -> None:
    """Each file of the stack's tests is run by the test above."""
    files = (DEPLOY / "terraform" / "modules" / "stack" / "tests").glob("*.tftest.hcl")
    assert sorted(path.name.partition(".")[0] for path in files) == sorted(_OF_MODULES + _OF_THE_STACK)


def test_an_environment_is_planned(plans: dict[str, Planned]) -> None:
    """The real provider plans each environment completely."""
    for environment in VARIABLES:
        kinds = {each["type"] for each in plans[environment].resources()}
        assert {
            "aws_msk_cluster",
            "aws_ecs_service",
            "aws_ebs_volume",
            "aws_s3_bucket",
            "aws_appautoscaling_policy",
        } <= kinds


def test_a_worker_never_has_more_tasks_than_partitions(plans: dict[str, Planned]) -> None:
    """No environment plans more tasks than the topic's twelve partitions."""
    for planned in plans.values():
        targets = [each["values"] for each in planned.resources("aws_appautoscaling_target")]
        tasks = [each["max_capacity"] for each in targets if each["service_namespace"] == "ecs"]
        assert tasks
        assert max(tasks) <= 12


def test_brokers_need_tls_and_iam(plans: dict[str, Planned]) -> None:
    """MSK is planned with a broker in each zone, TLS only, IAM only, and growing disks."""
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


def test_the_first_documented_apply_makes_what_the_operator_needs(workspace: Workspace, tmp_path: Path) -> None:
    """The first apply makes brokers, egress, security groups and permissions for the operator, and no service."""
    made = _planned_targets(workspace, tmp_path, number=0)
    kinds = {each["type"] for each in made}
    rules = [each["values"]["description"] for each in made if each["type"] == "aws_vpc_security_group_ingress_rule"]
    assert kinds >= {"aws_msk_cluster", "aws_route", "aws_ecr_repository", "aws_secretsmanager_secret", "aws_s3_bucket"}
    assert "workers: read and write topics" in rules
    assert any('policy.task["operator"]' in each["address"] for each in made)
    assert "aws_ecs_service" not in kinds


@pytest.mark.thorough
def test_the_second_documented_apply_makes_the_index(workspace: Workspace, tmp_path: Path) -> None:
    """The second apply makes the nodes and the load balancer that the index's DNS record points at, and no worker."""
    made = _planned_targets(workspace, tmp_path, number=1)
    services = {each["values"]["name"] for each in made if each["type"] == "aws_ecs_service"}
    assert services == {"qdrant-a", "qdrant-b", "qdrant-c"}
    assert [each["values"]["name"] for each in made if each["type"] == "aws_lb"] == ["ticketstream-prod-index"]


def _planned_targets(workspace: Workspace, folder: Path, *, number: int) -> list[dict[str, Any]]:
    """The resources that a documented apply of a part of prod plans."""
    pages = "".join(path.read_text() for path in (DEPLOY.parent / "docs").glob("deploy*.md"))
    commands = re.findall(r"^ +terraform apply (-target=.*)$", pages, re.MULTILINE)
    assert len(commands) == 2
    root = workspace.root("envs/prod")
    result = root.plan(SMALL["prod"], *commands[number].split(), to=folder / "part.tfplan")
    assert result.code == 0, result.errors()
    return resources(root.show(folder / "part.tfplan")["planned_values"]["root_module"])


@pytest.mark.parametrize("environment", VARIABLES)
def test_the_state_gets_the_key_of_its_bucket(environment: str) -> None:
    """The backend's `encrypt` without a key asks S3 for its own key, and so overrides the bucket's."""
    backend = (DEPLOY / "terraform" / "envs" / environment / "backend.tf").read_text()
    assert not re.search(r"^ +encrypt\b", backend, re.MULTILINE)
    assert "use_lockfile = true" in backend


def test_the_examples_run_the_image_that_the_page_pushes() -> None:
    """The tag of the variables' examples is that of the documented image."""
    page = (DEPLOY.parent / "docs" / "deploy-aws.md").read_text()
    (pushed,) = re.findall(r'image="\$\(terraform output .* jq -r \.pipeline\):([\d.]+)"', page)
    examples = sorted((DEPLOY / "terraform" / "envs").glob("*/terraform.tfvars.example"))
    assert [re.findall(r'^image_tag += "(.*)"', path.read_text(), re.MULTILINE) for path in examples] == [[pushed]] * 2


def test_the_rights_to_apply_name_every_service() -> None:
    """The page's rights of a pipeline have the service of each resource type in the files."""
    page = (DEPLOY.parent / "docs" / "deploy-aws.md").read_text()
    (rights,) = re.findall(r"^\*\*Rights\.\*\* .*$", page, re.MULTILINE)
    text = "".join(path.read_text() for path in (DEPLOY / "terraform").rglob("*.tf"))
    kinds = set(re.findall(r'^resource "aws_(\w+)"', text, re.MULTILINE))
    assert len(kinds) > 100
    for kind in sorted(kinds):
        names = [name for name, prefixes in _SERVICES.items() if kind.startswith(prefixes)]
        assert names, f"which service has aws_{kind}?"
        assert any(name in rights for name in names), kind


def test_terraform_and_compose_run_the_same_qdrant() -> None:
    """Terraform and the compose file use the same image of Qdrant."""
    used = {
        path.relative_to(DEPLOY).as_posix(): set(re.findall(r"qdrant/qdrant:(v[\w.-]+)", path.read_text()))
        for path in [DEPLOY / "compose.yaml", *DEPLOY.glob("terraform/envs/*/variables.tf")]
        if path.exists()
    }
    assert used
    assert len(set.union(*used.values())) == 1, used
