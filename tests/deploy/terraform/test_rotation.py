"""The schedules of the secrets' rotation, the fields that the function needs, and its rights."""

import re

import pytest

from tests.deploy.terraform.conftest import Planned
from tests.deploy.terraform.tool import resources
from tests.deploy.terraform.workspace import VARIABLES, WITHOUT_FUNCTIONS, Workspace

_SCRAM = [f"arn:aws:secretsmanager:us-east-1:123456789012:secret:AmazonMSK_{number}-AbCdEf" for number in (0, 1)]


def test_the_key_of_the_index_is_rotated_every_month(plans: dict[str, Planned]) -> None:
    """Secrets Manager calls the function every 30 days, but not while the index is being created."""
    for planned in plans.values():
        (schedule,) = (each["values"] for each in planned.resources("aws_secretsmanager_secret_rotation"))
        assert schedule["rotation_rules"][0]["automatically_after_days"] == 30
        assert schedule["rotate_immediately"] is False
    assert schedule["rotation_lambda_arn"] == VARIABLES["prod"]["rotation"]["function"]["arn"]


def test_the_fields_of_the_secret_name_its_nodes_and_clients(plans: dict[str, Planned]) -> None:
    """The fields name the address and the ECS service of each node, and each service that reads the key."""
    planned = plans["prod"]
    fields = planned.content["planned_values"]["outputs"]["secret_fields"]["value"]["index-api-key"]
    (namespace,) = planned.resources("aws_service_discovery_private_dns_namespace")
    (cluster,) = planned.resources("aws_ecs_cluster")
    nodes = [each["values"]["name"] for each in planned.resources("aws_service_discovery_service")]
    name = cluster["values"]["name"]
    assert len(nodes) == 3
    assert fields["engine"] == "qdrant"
    assert fields["nodes"] == {f"http://{node}.{namespace['values']['name']}:6333": f"{name}/{node}" for node in nodes}
    services = {f"{name}/{each['values']['name']}" for each in planned.resources("aws_ecs_service")}
    assert set(fields["clients"]) == {f"{name}/embedding-minilm", f"{name}/rag"} <= services
    assert set(fields["nodes"].values()) <= services


def test_the_function_reaches_nodes_and_brokers(plans: dict[str, Planned]) -> None:
    """Its security group is admitted by the index's nodes and the brokers, which it asks whether they accept a key."""
    rules = {each["index"]: each["values"] for each in plans["prod"].resources("aws_vpc_security_group_ingress_rule")}
    reached = {name: rule["from_port"] for name, rule in rules.items() if name.startswith("rotation-")}
    assert reached == {"rotation-index": 6333, "rotation-brokers": 9098, "rotation-endpoints": 443}


@pytest.mark.thorough
def test_two_kafka_users_take_turns(workspace: Workspace) -> None:
    """With two SCRAM users a third secret says whose turn it is; it is rotated too, and all Kafka clients restart."""
    root = workspace.root("envs/prod")
    path = root.folder / "scram.tfplan"
    given = VARIABLES["prod"] | WITHOUT_FUNCTIONS | {"kafka_authentication": "scram", "kafka_scram_secrets": _SCRAM}
    result = root.plan(given, to=path)
    assert result.code == 0, result.errors()
    content = root.show(path)
    made = resources(content["planned_values"]["root_module"])
    rotated = {each["index"] for each in made if each["type"] == "aws_secretsmanager_secret_rotation"}
    fields = content["planned_values"]["outputs"]["secret_fields"]["value"]["kafka-user"]
    assert rotated == {"index-api-key", "kafka-user"}
    assert fields["users"] == {"ticketstream-0": _SCRAM[0], "ticketstream-1": _SCRAM[1]}
    assert {name.partition("/")[2] for name in fields["clients"]} == {
        *("archive", "embedding-minilm", "enrichment-minilm", "producer", "rag", "tickets")
    }


def test_the_role_may_rotate_and_nothing_else(workspace: Workspace) -> None:
    """The module's `terraform test` passes: it compares the role's rights and who may call the function."""
    root = workspace.root("modules/rotation")
    result = root.init()
    assert result.code == 0, result.out
    result = root.run("test", "-no-color")
    assert re.search(r"2 passed, 0 failed", result.out), result.out
