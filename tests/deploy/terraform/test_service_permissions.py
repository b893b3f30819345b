"""The roles of the HTTP services have exactly the rights on tables, topics and cache that they need."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
import yaml
from moto.iam.access_control import IAMPolicy, PermissionResult

from tests.deploy.terraform.dynamodb_calls import calls_of_feedback, calls_of_sessions, calls_of_the_ticket_api
from tests.deploy.terraform.stacks import Applied
from tests.deploy.terraform.stand_ins import CACHE_ARN, CACHE_USER_ARN, KAFKA_ARN
from tests.deploy.terraform.workspace import ACCOUNT, DEPLOY, REGION

_PREFIX: Final = "ticketstream-dev-"


@pytest.fixture(scope="module")
def documents(moto: Applied) -> dict[str, dict[str, Any]]:
    """The policy document of each task role, by task."""
    iam = moto.emulator.client("iam")
    found = {}
    for role in iam.list_roles()["Roles"]:
        if role["RoleName"].endswith("-task"):
            names = iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
            for name in names:
                document = iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)["PolicyDocument"]
                task = role["RoleName"].removeprefix(f"{_PREFIX}use1-").removesuffix("-task")
                found[task] = document
    return found


@pytest.fixture(scope="module")
def policies(documents: dict[str, dict[str, Any]]) -> dict[str, IAMPolicy]:
    """An evaluator of each document."""
    return {task: IAMPolicy(json.dumps(document)) for task, document in documents.items()}


def _allows(policy: IAMPolicy, action: str, resource: str) -> bool:
    return policy.is_action_permitted(action, resource) is PermissionResult.PERMITTED


def _table(name: str) -> str:
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{_PREFIX}{name}"


def _granted(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every action on a table or its indexes that a policy grants."""
    for statement in document["Statement"]:
        for resource in statement["Resource"]:
            if ":dynamodb:" in resource:
                yield from ((action, resource) for action in statement["Action"])


def test_the_ticket_api_may_make_its_own_calls_and_no_others(
    documents: dict[str, dict[str, Any]], policies: dict[str, IAMPolicy]
) -> None:
    """The role of the ticket API grants exactly the calls that its stores make, each on its own table or index."""
    made = {(action, _table(resource)) for action, resource in calls_of_the_ticket_api() | calls_of_sessions()}
    assert len(made) > 10
    for action, resource in made:
        assert _allows(policies["tickets"], action, resource), (action, resource)
    on_tables = {(action, resource) for action, resource in made if "/index/" not in resource}
    on_indexes = {("dynamodb:Query", f"{_table('Tickets')}/index/*")}
    assert set(_granted(documents["tickets"])) == on_tables | on_indexes


def test_the_rag_service_may_make_its_own_calls_and_no_others(documents: dict[str, dict[str, Any]]) -> None:
    """The role of the RAG service grants exactly the calls that its stores make, each on its own table."""
    made = {(action, _table(resource)) for action, resource in calls_of_feedback() | calls_of_sessions()}
    assert len(made) > 5
    assert set(_granted(documents["rag"])) == made


def test_no_task_uses_anothers_tables(documents: dict[str, dict[str, Any]], policies: dict[str, IAMPolicy]) -> None:
    """Services have the tables of their stores and that of sessions; the operator reads tickets; workers have none."""
    for task, document in documents.items():
        tables = {arn.removesuffix("/index/*").rsplit("/", 1)[-1] for _, arn in _granted(document)}
        wanted = {
            "rag": {"Feedback", "UserSessions"},
            "tickets": {"Tickets", "TicketMetadata", "UserSessions"},
            "producer": {"Checkpoints"},
            "operator": {"Tickets", "TicketMetadata"},
        }.get(task, set())
        assert tables == {f"{_PREFIX}{name}" for name in wanted}, task
        for action in ("dynamodb:DeleteTable", "dynamodb:UpdateTable"):
            assert not _allows(policies[task], action, _table("Tickets")), task
        assert _allows(policies[task], "dynamodb:Scan", _table("Tickets")) is (task == "operator")
        assert _allows(policies[task], "dynamodb:PutItem", _table("Tickets")) is (task == "tickets")


def test_a_service_writes_its_own_topic_only(policies: dict[str, IAMPolicy]) -> None:
    """The ticket API writes tickets.raw, the RAG service tickets.feedback; neither reads a topic or joins a group."""
    topics = [
        each["name"] for each in yaml.safe_load((DEPLOY / "k8s-ecs" / "msk" / "topics.yaml").read_text())["topics"]
    ]
    for task, own in {"rag": "tickets.feedback", "tickets": "tickets.raw"}.items():
        for topic in topics:
            arn = f"{KAFKA_ARN.replace(':cluster/', ':topic/')}/{topic}"
            assert _allows(policies[task], "kafka-cluster:WriteData", arn) is (topic == own)
            assert not _allows(policies[task], "kafka-cluster:ReadData", arn)
        group = f"{KAFKA_ARN.replace(':cluster/', ':group/')}/ticketstream"
        assert not _allows(policies[task], "kafka-cluster:AlterGroup", group)


def test_only_the_services_connect_to_the_cache(policies: dict[str, IAMPolicy]) -> None:
    """A connection needs the rights to the cluster and to its user; no other task has them."""
    for task, policy in policies.items():
        for arn in (CACHE_ARN, CACHE_USER_ARN):
            assert _allows(policy, "elasticache:Connect", arn) is (task in ("rag", "tickets")), task
        other = CACHE_USER_ARN.replace("-services", "-admin")
        assert not _allows(policy, "elasticache:Connect", other)
