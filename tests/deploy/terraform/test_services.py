"""The HTTP services: tables as the code defines them, the cache, the load balancer, and who may use what."""

from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from connectors.checkpoints import dynamodb as checkpoints
from connectors.feedback import tables as feedback
from connectors.sessions import dynamodb as sessions
from connectors.ticket_store import tables as tickets
from core.service_settings import RagSettings
from tests.deploy.terraform.conftest import Planned
from tests.deploy.terraform.stacks import Applied
from tests.deploy.terraform.workspace import DEPLOY, REGION, VARIABLES, WITHOUT_FUNCTIONS, Workspace

_SIZES: Final = yaml.safe_load((DEPLOY / "sizes.yaml").read_text())
_PREFIX: Final = "ticketstream-dev-"
_KINDS: Final = {"aws_dynamodb_table", "aws_elasticache_replication_group", "aws_lb_listener_rule"}


def _expected() -> dict[str, dict[str, Any]]:
    """CreateTable's arguments of each table, as the code has them."""
    defined = [*tickets.definitions(_PREFIX), *feedback.definitions(_PREFIX), *sessions.definitions(_PREFIX)]
    defined.append(checkpoints.definition(f"{_PREFIX}Checkpoints"))
    return {str(one["TableName"]): dict(one) for one in defined}


def test_the_tables_are_those_that_the_code_uses(moto: Applied) -> None:
    """Each table has the keys, attributes and indexes that the code defines, and is paid on demand."""
    client = moto.emulator.client("dynamodb")
    expected = _expected()
    assert set(client.list_tables()["TableNames"]) == set(expected)
    for name, wanted in expected.items():
        found = client.describe_table(TableName=name)["Table"]
        assert found["KeySchema"] == wanted["KeySchema"], name
        assert _by_name(found["AttributeDefinitions"]) == _by_name(wanted["AttributeDefinitions"]), name
        assert found["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
        indexes = {one["IndexName"]: one for one in found.get("GlobalSecondaryIndexes", [])}
        assert set(indexes) == {one["IndexName"] for one in wanted.get("GlobalSecondaryIndexes", [])}
        for index in wanted.get("GlobalSecondaryIndexes", []):
            made = indexes[index["IndexName"]]
            assert made["KeySchema"] == index["KeySchema"]
            assert made["Projection"]["ProjectionType"] == index["Projection"]["ProjectionType"]
            copied = made["Projection"]["NonKeyAttributes"]
            assert set(copied) == set(index["Projection"]["NonKeyAttributes"])


def _by_name(attributes: list[dict[str, str]]) -> dict[str, str]:
    return {one["AttributeName"]: one["AttributeType"] for one in attributes}


def test_expired_items_go_and_tables_can_be_restored(moto: Applied) -> None:
    """Tables with an expiry have TTL on `expires_s`, and each table can be restored to any second of a month."""
    client = moto.emulator.client("dynamodb")
    expiring = set()
    for name in client.list_tables()["TableNames"]:
        backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
        ttl = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        if ttl["TimeToLiveStatus"] == "ENABLED":
            assert ttl["AttributeName"] == "expires_s"
            expiring.add(name.removeprefix(_PREFIX))
    assert expiring == {"TicketMetadata", "Checkpoints", *sessions.TTL, *feedback.TTL}


def test_tables_are_protected_and_encrypted_with_our_key(plans: dict[str, Planned]) -> None:
    """Every table has our key; in prod none can be deleted."""
    for environment, planned in plans.items():
        tables = planned.resources("aws_dynamodb_table")
        assert len(tables) == 5
        for table in tables:
            assert table["values"]["server_side_encryption"][0]["enabled"] is True
            assert table["values"]["deletion_protection_enabled"] is (environment == "prod")
    calls = plans["prod"].content["configuration"]["root_module"]["module_calls"]["ticketstream"]["module"]
    given = calls["module_calls"]["tables"]["module"]["resources"][0]["expressions"]["server_side_encryption"]
    assert given[0]["kms_key_arn"]["references"] == ["var.key_arn"]


def test_the_cache_has_two_nodes_in_two_zones_and_no_password(plans: dict[str, Planned]) -> None:
    """Valkey fails over between zones, takes TLS only, is encrypted at rest, and its user authenticates with IAM."""
    for planned in plans.values():
        (cache,) = (one["values"] for one in planned.resources("aws_elasticache_replication_group"))
        assert (cache["engine"], cache["num_cache_clusters"]) == ("valkey", 2)
        assert cache["automatic_failover_enabled"] is cache["multi_az_enabled"] is True
        assert (cache["transit_encryption_enabled"], cache["transit_encryption_mode"]) == (True, "required")
        assert cache["at_rest_encryption_enabled"] in (True, "true")
        (user,) = (one["values"] for one in planned.resources("aws_elasticache_user"))
        assert user["authentication_mode"][0]["type"] == "iam"
        assert not user.get("passwords")
        assert user["user_id"] == user["user_name"]


def test_a_service_reaches_what_it_needs_alone(moto: Applied) -> None:
    """Only clients reach the load balancer, only it reaches the services, and only they reach the cache."""
    ec2 = moto.emulator.client("ec2")
    groups = {
        one["GroupName"].removeprefix(_PREFIX): one
        for one in ec2.describe_security_groups()["SecurityGroups"]
        if one["GroupName"].startswith(_PREFIX)
    }
    names = {one["GroupId"]: name for name, one in groups.items()}
    ports = {name: size["port"] for name, size in _SIZES["services"].items()}

    def admitted(name: str) -> set[tuple[str, int]]:
        return {
            (names[pair["GroupId"]], rule["FromPort"])
            for rule in groups[name]["IpPermissions"]
            for pair in rule["UserIdGroupPairs"]
        }

    assert admitted("api") == {("clients", 443)}
    assert admitted("services") == {("api", port) for port in ports.values()}
    assert admitted("cache") == {("services", 6379)}
    assert {("services", 6334)} <= admitted("entry")
    (endpoint,) = (
        one
        for one in ec2.describe_vpc_endpoints()["VpcEndpoints"]
        if one["ServiceName"] == f"com.amazonaws.{REGION}.dynamodb"
    )
    assert endpoint["VpcEndpointType"] == "Gateway"


def test_requests_are_split_by_path_and_probes_are_hidden(moto: Applied) -> None:
    """The listener takes TLS with the given certificate; paths decide between the services; probes answer 404."""
    elb = moto.emulator.client("elbv2")
    (balancer,) = (
        one for one in elb.describe_load_balancers()["LoadBalancers"] if one["LoadBalancerName"] == f"{_PREFIX}api"
    )
    assert balancer["Scheme"] == "internal"
    (listener,) = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    assert (listener["Port"], listener["Protocol"]) == (443, "HTTPS")
    assert listener["Certificates"][0]["CertificateArn"] == VARIABLES["dev"]["services"]["certificate_arn"]
    rules = elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    found = [
        (_target(rule["Actions"][0]), [value for one in rule["Conditions"] for value in _paths(one)])
        for rule in sorted(rules, key=lambda rule: (rule["IsDefault"], rule["Priority"]))
    ]
    assert found == [
        ("404", sorted(_SIZES["health"].values())),
        ("rag", ["/api/v1/tickets/*/similar"]),
        ("tickets", ["/api/v1/tickets", "/api/v1/tickets/*"]),
        ("rag", []),
    ]


def _paths(condition: dict[str, Any]) -> list[str]:
    return sorted(condition.get("PathPatternConfig", {}).get("Values") or condition.get("Values", []))


def _target(action: dict[str, Any]) -> str:
    if action["Type"] == "fixed-response":
        return str(action["FixedResponseConfig"]["StatusCode"])
    return str(action["TargetGroupArn"]).split("/")[1].removeprefix(_PREFIX)


def test_a_task_answers_what_it_has_before_it_ends(plans: dict[str, Planned]) -> None:
    """A task gets requests when /ready says so, and ends after a longer time than a request may take."""
    targets = [
        one["values"] for one in plans["prod"].resources("aws_lb_target_group") if "module.balancer" in one["address"]
    ]
    assert {(one["name"], one["port"]) for one in targets} == {
        (f"ticketstream-prod-{name}", size["port"]) for name, size in _SIZES["services"].items()
    }
    (balancer,) = (
        one["values"]
        for one in plans["prod"].resources("aws_lb")
        if one["values"]["load_balancer_type"] == "application"
    )
    for target in targets:
        (check,) = target["health_check"]
        assert (check["path"], check["matcher"]) == (_SIZES["health"]["ready"], "200")
        # ECS replaces tasks whose check fails: an outage of a minute must not start that.
        assert check["interval"] * check["unhealthy_threshold"] >= 120
        assert int(target["deregistration_delay"]) >= RagSettings().timeout_s
    assert balancer["idle_timeout"] > RagSettings().timeout_s
    assert balancer["enable_deletion_protection"] is True
    services = {
        one["values"]["name"]: one["values"]
        for one in plans["prod"].resources("aws_ecs_service")
        if "module.service[" in one["address"]
    }
    assert set(services) == set(_SIZES["services"])
    for name, service in services.items():
        # New tasks come first.
        assert service["deployment_minimum_healthy_percent"] == 100
        assert service["deployment_maximum_percent"] == 200
        (target,) = service["load_balancer"]
        assert (target["container_name"], target["container_port"]) == (name, _SIZES["services"][name]["port"])


def test_a_service_scales_by_its_requests(moto: Applied) -> None:
    """The target is a task's requests in a minute, and the bounds are those of sizes.yaml."""
    client = moto.emulator.client("application-autoscaling")
    bounds = {
        one["ResourceId"].rsplit("/", 1)[1]: (one["MinCapacity"], one["MaxCapacity"])
        for one in client.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    }
    policies = {
        one["ResourceId"].rsplit("/", 1)[1]: one["TargetTrackingScalingPolicyConfiguration"]
        for one in client.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    }
    for name, size in _SIZES["services"].items():
        assert bounds[name] == (size["min_tasks"], size["max_tasks"])
        assert policies[name]["TargetValue"] == 60 * size["requests_per_task_s"]
        metric = policies[name]["PredefinedMetricSpecification"]
        assert metric["PredefinedMetricType"] == "ALBRequestCountPerTarget"
        assert metric["ResourceLabel"].startswith(f"app/{_PREFIX}api/")
        assert f"/targetgroup/{_PREFIX}{name}/" in metric["ResourceLabel"]


def test_prod_refuses_to_destroy_or_replace_a_table(workspace: Workspace, plans: dict[str, Planned]) -> None:
    """The guard names every table, and only prod has it."""
    text = (workspace.folder / "terraform" / "modules" / "tables" / "guard.tf").read_text()
    tables = plans["prod"].resources("aws_dynamodb_table")
    names = {one["index"] for one in tables if "module.tables" in one["address"]}
    assert {name for name in names if f'aws_dynamodb_table.this["{name}"].id' in text} == names
    assert "prevent_destroy = true" in text
    guards = {one["address"] for one in plans["prod"].resources("terraform_data")}
    assert "module.ticketstream.module.tables[0].terraform_data.keeps_tables[0]" in guards
    assert not plans["dev"].resources("terraform_data")


@pytest.mark.thorough
def test_without_services_nothing_of_them_is_planned(workspace: Workspace, tmp_path: Path) -> None:
    """The stack exists without services: no table, cache, rule of the load balancer or security group of theirs."""
    root = workspace.root("envs/dev")
    theirs = {"services", "producers", "rotation", *WITHOUT_FUNCTIONS}
    given = {name: value for name, value in VARIABLES["dev"].items() if name not in theirs}
    result = root.plan(given, to=tmp_path / "bare.tfplan")
    assert result.code == 0, result.errors()
    changes = root.show(tmp_path / "bare.tfplan")["resource_changes"]
    assert not {one["type"] for one in changes} & _KINDS
    groups = {one["index"] for one in changes if one["type"] == "aws_security_group"}
    assert not groups & {"services", "api", "cache"}
