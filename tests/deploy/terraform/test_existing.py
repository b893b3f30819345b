"""A stack in a VPC and on an MSK cluster of yours plans none of its own, and refuses those that can't carry it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec import Struct

from tests.deploy.terraform.conftest import Planned
from tests.deploy.terraform.emulators import Emulator, start_moto
from tests.deploy.terraform.tool import Root
from tests.deploy.terraform.workspace import ACCOUNT, REGION, Workspace

_BOUNDARY: Final = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
_KAFKA: Final = f"arn:aws:kafka:{REGION}:{ACCOUNT}:cluster/yours/01234567-89ab-cdef-0123-456789abcdef-1"
_BROKERS: Final = ",".join(f"b-{i}.yours.example.com:9098" for i in (1, 2, 3))
_ZONES: Final = [f"{REGION}{letter}" for letter in "abc"]
#: Types of which a stack in your VPC, on your cluster, creates none.
_NONE: Final = {
    *("aws_vpc", "aws_subnet", "aws_internet_gateway", "aws_nat_gateway", "aws_eip", "aws_route", "aws_route_table"),
    *("aws_route_table_association", "aws_vpc_endpoint", "aws_flow_log", "aws_default_security_group"),
    *("aws_msk_cluster", "aws_msk_configuration"),
}


class Yours(Struct, frozen=True):
    """A VPC, with what the stack needs of it, in an emulator."""

    emulator: Emulator
    vpc: str
    subnets: dict[str, str]
    brokers: str
    endpoints: str

    def variables(self) -> dict[str, Any]:
        """The variables of the example own-vpc."""
        return {
            "account_id": ACCOUNT,
            "vpc": {"vpc_id": self.vpc, "private_subnets": self.subnets, "endpoints_group": self.endpoints},
            "kafka": {"arn": _KAFKA, "security_group": self.brokers, "brokers": _BROKERS},
            "permissions_boundary": _BOUNDARY,
            "index_certificate_arn": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/12345678-1234-1234-1234-123456789012",
            "index_domain": "index.example.com",
            "on_call": "oncall@example.com",
        }


@pytest.fixture(scope="module")
def yours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yours]:
    """A VPC of moto with a private subnet in each of three zones."""
    with start_moto(tmp_path_factory.mktemp("moto")) as emulator:
        ec2 = emulator.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
        subnets = {
            zone: ec2.create_subnet(VpcId=vpc, AvailabilityZone=zone, CidrBlock=f"10.9.{i}.0/24")["Subnet"]["SubnetId"]
            for i, zone in enumerate(_ZONES)
        }
        groups = [
            ec2.create_security_group(VpcId=vpc, GroupName=name, Description="Yours.")["GroupId"]
            for name in ("your-brokers", "your-endpoints")
        ]
        yield Yours(emulator, vpc, subnets, *groups)


@pytest.fixture(scope="module")
def root(workspace: Workspace, yours: Yours, tmp_path_factory: pytest.TempPathFactory) -> Root:
    """The example own-vpc, whose provider calls the emulator."""
    branch = workspace.branch(tmp_path_factory.mktemp("existing") / "deploy")
    branch.emulated("examples/own-vpc")
    made = branch.root("examples/own-vpc", endpoint=yours.emulator.url)
    result = made.init()
    assert result.code == 0, result.out
    return made


@pytest.fixture(scope="module")
def planned(root: Root, yours: Yours, tmp_path_factory: pytest.TempPathFactory) -> Planned:
    """The plan of that example."""
    path = tmp_path_factory.mktemp("plans") / "existing.tfplan"
    result = root.plan(yours.variables(), to=path)
    assert result.code == 0, result.errors()
    return Planned(path, root.show(path))


def test_nothing_of_that_kind_is_created(planned: Planned) -> None:
    """The plan creates no VPC, subnet, gateway, route, endpoint, flow log, broker or broker configuration."""
    kinds = {each["type"] for each in planned.resources()}
    assert kinds & _NONE == set()
    assert {each["name"] for each in planned.resources("terraform_data")} == {"keeps_keys"}
    assert {"aws_ecs_service", "aws_lb", "aws_ebs_volume", "aws_security_group"} <= kinds
    spaces = {each["values"]["service_namespace"] for each in planned.resources("aws_appautoscaling_target")}
    assert spaces == {"ecs"}


def test_everything_is_placed_in_your_subnets(planned: Planned, yours: Yours) -> None:
    """Security groups are in your VPC; tasks, machines and the load balancer are in your private subnets."""
    assert {each["values"]["vpc_id"] for each in planned.resources("aws_security_group")} == {yours.vpc}
    for service in planned.resources("aws_ecs_service"):
        (network,) = service["values"]["network_configuration"]
        assert set(network["subnets"]) <= set(yours.subnets.values())
    machines = [each["values"]["vpc_zone_identifier"] for each in planned.resources("aws_autoscaling_group")]
    assert sorted(subnet for subnets in machines for subnet in subnets) == sorted(yours.subnets.values())
    disks = {each["index"]: each["values"]["availability_zone"] for each in planned.resources("aws_ebs_volume")}
    assert disks == {f"qdrant-{zone[-1]}": zone for zone in _ZONES}


def test_your_groups_get_the_rules(planned: Planned, yours: Yours) -> None:
    """The brokers' and the endpoints' groups get their rules from us, and we create no group in their place."""
    rules = {
        each["index"]: each["values"].get("security_group_id")
        for each in planned.resources("aws_vpc_security_group_ingress_rule")
    }
    to_brokers = {group for name, group in rules.items() if name.endswith("-brokers")}
    to_endpoints = {group for name, group in rules.items() if name.endswith("-endpoints")}
    assert {"workers-brokers", "clients-brokers", "workers-endpoints", "entry-index"} <= set(rules)
    assert (to_brokers, to_endpoints) == ({yours.brokers}, {yours.endpoints})
    leaving = {
        each["index"]: each["values"].get("referenced_security_group_id")
        for each in planned.resources("aws_vpc_security_group_egress_rule")
    }
    assert leaving["workers-brokers"] == yours.brokers
    assert {each["index"] for each in planned.resources("aws_security_group")} & {"brokers", "endpoints"} == set()


def test_alarms_and_permissions_name_your_cluster(planned: Planned) -> None:
    """Alarms watch your cluster and its brokers, and the producers' policy is for its topics."""
    alarms = [each["values"] for each in planned.resources("aws_cloudwatch_metric_alarm")]
    kafka = [alarm["dimensions"] for alarm in alarms if alarm["namespace"] == "AWS/Kafka"]
    assert {each["Cluster Name"] for each in kafka} == {"yours"}
    assert {each["Broker ID"] for each in kafka if "Broker ID" in each} == {"1", "2", "3"}
    (policy,) = (each["values"]["policy"] for each in planned.resources("aws_iam_policy"))
    assert _KAFKA in policy
    assert _KAFKA.replace(":cluster/", ":topic/") + "/tickets.raw" in policy


def test_every_role_has_the_boundary(planned: Planned) -> None:
    """Each role of the plan has the permissions boundary that the account demands."""
    boundaries = [each["values"]["permissions_boundary"] for each in planned.resources("aws_iam_role")]
    assert len(boundaries) > 8
    assert set(boundaries) == {_BOUNDARY}


@pytest.mark.thorough
def test_an_unfit_vpc_is_refused(root: Root, yours: Yours) -> None:
    """Without DNS names, or with a subnet of another zone, the plan fails and says what to change."""
    ec2 = yours.emulator.client("ec2")
    a, b, c = (yours.subnets[zone] for zone in _ZONES)
    swapped = dict(zip(_ZONES, (b, a, c), strict=True))
    wrong = yours.variables()
    wrong["vpc"] = wrong["vpc"] | {"private_subnets": swapped}
    ec2.modify_vpc_attribute(VpcId=yours.vpc, EnableDnsHostnames={"Value": False})
    try:
        result = root.plan(wrong)
    finally:
        ec2.modify_vpc_attribute(VpcId=yours.vpc, EnableDnsHostnames={"Value": True})
    errors = " ".join(result.errors().split())
    assert result.code == 1
    assert "set enableDnsSupport and enableDnsHostnames" in errors
    assert f"private_subnets gives {b} for the zone {_ZONES[0]} of {yours.vpc}, but it is in {_ZONES[1]}" in errors


@pytest.mark.thorough  # one more plan; it calls the stack as envs/dev does
def test_the_minimal_example_is_planned(workspace: Workspace, tmp_path: Path) -> None:
    """The example `minimal` needs nothing but an account's number."""
    branch = workspace.branch(tmp_path / "deploy")
    branch.offline("examples/minimal")
    root = branch.root("examples/minimal")
    result = root.init()
    assert result.code == 0, result.out
    result = root.plan({"account_id": ACCOUNT}, to=tmp_path / "minimal.tfplan")
    assert result.code == 0, result.errors()
    kinds = {
        each["type"]
        for each in Planned(tmp_path / "minimal.tfplan", root.show(tmp_path / "minimal.tfplan")).resources()
    }
    assert {"aws_vpc", "aws_msk_cluster", "aws_ecs_service"} <= kinds
