"""The plans protect the disks and a quorum of the index, and give each region its own names."""

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from tests.deploy.terraform.conftest import Planned
from tests.deploy.terraform.tool import resources
from tests.deploy.terraform.workspace import DEPLOY, SMALL, VARIABLES, Workspace

_GLOBAL: Final = {
    "aws_iam_role": "name",
    "aws_iam_policy": "name",
    "aws_iam_instance_profile": "name",
    "aws_s3_bucket": "bucket",
    "aws_cloudfront_cache_policy": "name",
    "aws_cloudfront_origin_access_control": "name",
    "aws_cloudfront_response_headers_policy": "name",
    "aws_wafv2_web_acl": "name",
    "aws_budgets_budget": "name",
}
#: Services whose names are unique in an account or beyond, except for names within another resource.
_BEYOND_REGION: Final = (
    "aws_iam_",
    "aws_s3_bucket",
    "aws_cloudfront_",
    "aws_route53_",
    "aws_budgets_",
    "aws_wafv2_web_acl",
)
_INSIDE: Final = {"aws_iam_role_policy", "aws_route53_record"}
#: A region outside the partition `aws`, in an account that demands a boundary.
_GOV: Final = "us-gov-west-1"
_CERTIFICATE: Final = f"arn:aws-us-gov:acm:{_GOV}:123456789012:certificate/12345678-1234-1234-1234-123456789012"
_BOUNDARY: Final = "arn:aws-us-gov:iam::123456789012:policy/boundary"


@pytest.mark.thorough
def test_two_regions_of_an_account_have_different_names(
    workspace: Workspace, plans: dict[str, Planned], tmp_path: Path
) -> None:
    """Roles, policies and buckets are named by region, so that a second region can be applied beside the first."""
    zones = [f"eu-west-1{letter}" for letter in "abc"]
    found = _planned(workspace, tmp_path, region="eu-west-1", zones=zones)
    named = {each["type"] for each in found if {"name", "bucket"} & set(each.get("values", {}))}
    assert {kind for kind in named if kind.startswith(_BEYOND_REGION)} - _INSIDE - _beside_a_bucket(named) == set(
        _GLOBAL
    )
    # CloudFront's log is in us-east-1, wherever the stack is.
    logs = [_edge_logs(one) for one in (plans["prod"].resources(), found)]
    assert all(logs)
    assert logs[0].isdisjoint(logs[1])
    here, there = _global_names(plans["prod"].resources()), _global_names(found)
    assert len(here) == len(there) > 12
    assert here.isdisjoint(there)
    assert max(map(len, here | there)) <= 64


@pytest.mark.thorough
def test_another_zone_leaves_the_other_disks(workspace: Workspace, plans: dict[str, Planned], tmp_path: Path) -> None:
    """Disks belong to zones: with zones b, c and d in place of a, b and c, those of b and c are the same resources."""
    found = _planned(workspace, tmp_path, **SMALL["prod"], zones=[f"us-east-1{letter}" for letter in "bcd"])
    before, after = _disks(plans["prod"].resources()), _disks(found)
    kept = before.items() & after.items()
    assert {zone for _, zone in kept} == {"us-east-1b", "us-east-1c"}


def test_machines_are_renewed_at_different_times(plans: dict[str, Planned]) -> None:
    """Every machine is replaced within 90 days, and two nodes hardly ever on the same day."""
    days = [
        each["values"]["max_instance_lifetime"] // 86_400 for each in plans["prod"].resources("aws_autoscaling_group")
    ]
    assert len(set(days)) == 3
    assert max(days) <= 90


def test_the_budget_knows_the_machines_and_their_disks(plans: dict[str, Planned]) -> None:
    """A machine and its system disk get the tags by which a budget counts, which a provider gives resources only."""
    wanted = {"application": "ticketstream", "environment": "prod"}
    groups, templates = (plans["prod"].resources(f"aws_{kind}") for kind in ("autoscaling_group", "launch_template"))
    assert len(groups) == len(templates) == 3
    for group in groups:
        tags = {each["key"]: each["value"] for each in group["values"]["tag"] if each["propagate_at_launch"]}
        assert tags.items() >= wanted.items()
    for template in templates:
        (launched,) = template["values"]["tag_specifications"]
        assert launched["resource_type"] == "volume"
        assert launched["tags"].items() >= wanted.items()


def test_a_disk_is_watched_after_a_restart_too() -> None:
    """The script of a machine's first start enables a timer; one of systemd-run would end with the next restart."""
    start = (DEPLOY / "terraform" / "modules" / "capacity" / "start.sh").read_text()
    assert "systemctl enable --now watch-disk.timer" in start
    assert "WantedBy=timers.target" in start
    assert not re.search("^systemd-run", start, re.MULTILINE)


def test_a_new_kafka_version_gets_a_new_configuration(plans: dict[str, Planned]) -> None:
    """The configuration's name contains the version, so that the new one can exist beside the old one."""
    (configuration,) = plans["prod"].resources("aws_msk_configuration")
    (version,) = configuration["values"]["kafka_versions"]
    assert configuration["values"]["name"].endswith(version.replace(".", "-"))


def test_only_our_log_groups_use_the_key(plans: dict[str, Planned]) -> None:
    """CloudWatch Logs may use the key for our log groups; it sends no source account."""
    keys = {each["index"]: json.loads(each["values"]["policy"]) for each in plans["prod"].resources("aws_kms_key")}
    (logs,) = (one for one in keys["telemetry"]["Statement"] if one["Sid"] == "ServesLogs")
    group = "arn:aws:logs:us-east-1:123456789012:log-group:"
    wanted = [f"{group}/ticketstream-prod/*", f"{group}aws-waf-logs-ticketstream-prod-*"]
    assert logs["Condition"] == {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": wanted}}
    # The name of the REST API's log of errors is known after the apply; it has no key.
    named = [each["values"].get("name", "") for each in plans["prod"].resources("aws_cloudwatch_log_group")]
    ours = ("/ticketstream-prod/", "aws-waf-logs-ticketstream-prod-")
    assert [name for name in named if not name.startswith(ours)] == [""]


def test_whoever_calls_aws_reaches_its_endpoints(plans: dict[str, Planned]) -> None:
    """In the whole VPC the names of AWS's services lead to the endpoints, for your own clients too."""
    prod = plans["prod"]
    outward = {
        each["index"]
        for each in prod.resources("aws_vpc_security_group_egress_rule")
        if each["values"].get("cidr_ipv4")
    }
    rules = {each["index"] for each in prod.resources("aws_vpc_security_group_ingress_rule")}
    assert {f"{group}-endpoints" for group in outward | {"clients"}} <= rules


def test_brokers_that_report_no_controller_raise_no_alarm(plans: dict[str, Planned]) -> None:
    """In KRaft mode brokers need not report the metric."""
    (alarm,) = (
        each["values"]
        for each in plans["prod"].resources("aws_cloudwatch_metric_alarm")
        if each["values"]["metric_name"] == "ActiveControllerCount"
    )
    assert alarm["treat_missing_data"] == "missing"


@pytest.fixture(scope="module")
def elsewhere(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """One more plan of all of prod: in another partition, with a boundary and tags."""
    return _planned(
        workspace,
        tmp_path_factory.mktemp("elsewhere"),
        region=_GOV,
        zones=[f"{_GOV}{letter}" for letter in "abc"],
        index_certificate_arn=_CERTIFICATE,
        services=VARIABLES["prod"]["services"] | {"certificate_arn": _CERTIFICATE},
        rotation={
            "function": {"arn": f"arn:aws-us-gov:lambda:{_GOV}:123456789012:function:rotation", "role": "rotation"}
        },
        replica_region="us-gov-east-1",
        producers={"sources": ["s3://exports/tickets/"]},
        edge=None,
        permissions_boundary=_BOUNDARY,
        tags={"team": "support", "application": "other"},
    )


@pytest.mark.thorough
def test_your_tags_are_on_every_resource(elsewhere: list[dict[str, Any]]) -> None:
    """The variable `tags` adds to our own tags, and replaces none."""
    tagged = [tags for each in elsewhere if (tags := each.get("values", {}).get("tags_all"))]
    assert len(tagged) > 60
    assert all(one["team"] == "support" and one["application"] == "ticketstream" for one in tagged)


@pytest.mark.thorough
def test_arns_name_the_partition_of_the_region(elsewhere: list[dict[str, Any]]) -> None:
    """In AWS GovCloud no ARN of the plan names the partition `aws`."""
    text = json.dumps(elsewhere)
    assert "arn:aws-us-gov:iam::aws:policy/AmazonSSMManagedInstanceCore" in text
    assert re.findall(r"arn:aws:[^\"]*", text) == []


@pytest.mark.thorough
def test_every_role_of_prod_has_the_boundary(elsewhere: list[dict[str, Any]]) -> None:
    """Each role has the permissions boundary that the account demands."""
    boundaries = [each["values"].get("permissions_boundary") for each in elsewhere if each["type"] == "aws_iam_role"]
    assert len(boundaries) >= 12
    assert set(boundaries) == {_BOUNDARY}


def test_no_arn_in_the_files_names_a_partition() -> None:
    """Terraform files build ARNs from the partition; those in messages, defaults and examples don't count."""
    written = [
        f"{path.relative_to(DEPLOY)}: {line.strip()}"
        for path in sorted((DEPLOY / "terraform" / "modules").rglob("*.tf"))
        for line in path.read_text().splitlines()
        if "arn:aws:" in line and not line.lstrip().startswith(("#", "description", "error_message"))
    ]
    assert written == []


@pytest.mark.thorough
def test_the_nodes_may_pull_your_copy_of_qdrant(workspace: Workspace, tmp_path: Path) -> None:
    """Prod runs the image that `qdrant_image` names, and the nodes may pull from our registry."""
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/ticketstream-prod/qdrant:v1.19.0@sha256:" + "0" * 64
    found = _planned(workspace, tmp_path, **SMALL["prod"], qdrant_image=image)
    repositories = {each["values"]["name"] for each in found if each["type"] == "aws_ecr_repository"}
    assert "ticketstream-prod/qdrant" in repositories


def _planned(workspace: Workspace, folder: Path, **variables: Any) -> list[dict[str, Any]]:
    root = workspace.root("envs/prod")
    result = root.plan(VARIABLES["prod"] | variables, to=folder / "other.tfplan")
    assert result.code == 0, result.errors()
    return resources(root.show(folder / "other.tfplan")["planned_values"]["root_module"])


def _beside_a_bucket(kinds: set[str]) -> set[str]:
    """The types that name their bucket, such as its policy."""
    return {kind for kind in kinds if kind.startswith("aws_s3_bucket_")}


def _global_names(found: list[dict[str, Any]]) -> set[str]:
    return {each["values"][_GLOBAL[each["type"]]] for each in found if each["type"] in _GLOBAL}


def _edge_logs(found: list[dict[str, Any]]) -> set[str]:
    logs = [each for each in found if "module.edge[0].aws_cloudwatch_log_" in each["address"]]
    return {f"{each['type']} {each['values']['name']}" for each in logs if "name" in each["values"]}


def _disks(found: list[dict[str, Any]]) -> dict[str, str]:
    return {each["address"]: each["values"]["availability_zone"] for each in found if each["type"] == "aws_ebs_volume"}
