"""Each task's roles allow what the task needs, and deny what only another task needs."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
import yaml
from botocore.exceptions import ClientError
from moto.iam.access_control import IAMPolicy, PermissionResult

from tests.deploy.terraform.emulators import Emulator, enforce_moto_roles
from tests.deploy.terraform.stacks import Applied
from tests.deploy.terraform.stand_ins import KAFKA_ARN
from tests.deploy.terraform.table import Table
from tests.deploy.terraform.workspace import DEPLOY

_WORKERS: Final = {"enrichment-minilm": "enrichment", "embedding-minilm": "embedding"}
_DLQ: Final = "tickets.dlq"
_DENIALS: Final = {"AccessDenied", "AccessDeniedException", "403", "UnauthorizedOperation"}
_MODEL_READERS: Final = {
    "embedding-minilm-task": True,
    "operator-task": True,
    "enrichment-minilm-task": True,
    "embedding-minilm-start": False,
    "enrichment-minilm-start": False,
}
#: Roles are named by region too, as their names are unique in the account.
_PREFIX: Final = "ticketstream-dev-use1-"
_SHELL: Final = "AmazonSSMManagedInstanceCore"
_NEVER: Final = ("kafka-cluster:AlterCluster", "kafka-cluster:DeleteTopic", "kafka-cluster:AlterTopic")


def _topic(name: str) -> str:
    return f"{KAFKA_ARN.replace(':cluster/', ':topic/')}/{name}"


def _group(name: str) -> str:
    return f"{KAFKA_ARN.replace(':cluster/', ':group/')}/{name}"


@pytest.fixture(scope="module")
def policies(moto: Applied) -> dict[str, IAMPolicy]:
    """The one policy of each role, by the role's name without its prefix."""
    iam = moto.emulator.client("iam")
    found = {}
    for role in iam.list_roles()["Roles"]:
        names = iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
        assert len(names) <= 1
        attached = iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"]
        assert {each["PolicyName"] for each in attached} <= (
            {_SHELL} if role["RoleName"].endswith("-machine") else set()
        )
        for name in names:
            document = iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)["PolicyDocument"]
            found[role["RoleName"].removeprefix(_PREFIX)] = IAMPolicy(json.dumps(document))
    return found


def _allows(policy: IAMPolicy, action: str, resource: str) -> bool:
    return policy.is_action_permitted(action, resource) is PermissionResult.PERMITTED


def test_a_worker_may_use_its_own_topics_and_group_only(policies: dict[str, IAMPolicy], table: Table) -> None:
    """A worker may read and write its own topics and join its own group, and no others."""
    sizes = yaml.safe_load((DEPLOY / "sizes.yaml").read_text())["roles"]
    topics = [
        each["name"] for each in yaml.safe_load((DEPLOY / "k8s-ecs" / "msk" / "topics.yaml").read_text())["topics"]
    ]
    tried = 0
    for worker, role in _WORKERS.items():
        policy = policies[f"{worker}-task"]
        writes = {*sizes[role]["writes"], _DLQ}
        uses = {sizes[role]["reads"], *writes}
        for action in ("kafka-cluster:Connect", "kafka-cluster:WriteDataIdempotently"):
            assert _allows(policy, action, KAFKA_ARN)
        for topic in topics:
            assert _allows(policy, "kafka-cluster:ReadData", _topic(topic)) is (topic == sizes[role]["reads"]), topic
            assert _allows(policy, "kafka-cluster:WriteData", _topic(topic)) is (topic in writes), topic
            for action in ("kafka-cluster:DescribeTopic", "kafka-cluster:DescribeTopicDynamicConfiguration"):
                assert _allows(policy, action, _topic(topic)) is (topic in uses), topic
            assert not _allows(policy, "kafka-cluster:CreateTopic", _topic(topic))
        for other in sizes.values():
            own = other["group"] == sizes[role]["group"]
            for action in ("kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"):
                assert _allows(policy, action, _group(other["group"])) is own
        for action in _NEVER:
            assert not any(_allows(policy, action, arn) for arn in (KAFKA_ARN, *map(_topic, topics)))
        tried += 2 + 5 * len(topics) + 2 * len(sizes) + len(_NEVER) * (1 + len(topics))
    table.row("Kafka rights tried", "task roles", tried)


def test_only_the_operator_creates_topics(policies: dict[str, IAMPolicy]) -> None:
    """Only the operator may create topics, and no task may change or delete them."""
    may = {
        role for role, policy in policies.items() if _allows(policy, "kafka-cluster:CreateTopic", _topic("tickets.raw"))
    }
    assert may == {"operator-task"}
    assert not any(_allows(policy, action, _topic("tickets.raw")) for policy in policies.values() for action in _NEVER)


def test_only_the_operator_reads_outside_the_workers_groups(policies: dict[str, IAMPolicy]) -> None:
    """Only the operator may use the group with `-reader`, which `reconcile`, `rebuild` and `dlq` need."""
    action = "kafka-cluster:DescribeGroup"
    may = {role for role, policy in policies.items() if _allows(policy, action, _group("ticketstream-reader"))}
    assert may == {"operator-task"}


def test_a_wildcard_is_found() -> None:
    """The policy evaluator of these tests matches wildcards."""
    wide = IAMPolicy(
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kafka-cluster:*", "Resource": "*"}]}'
    )
    assert _allows(wide, "kafka-cluster:DeleteTopic", _topic("tickets.raw"))


def test_only_execution_roles_read_secrets(policies: dict[str, IAMPolicy], moto: Applied) -> None:
    """Only the execution roles of tasks that use the index may read its secret; no task role may."""
    arn = moto.output("secrets")["index-api-key"]
    may = {role for role, policy in policies.items() if _allows(policy, "secretsmanager:GetSecretValue", arn)}
    assert may == {"embedding-minilm-start", "operator-start", "qdrant-start", "rag-start"}


def test_tasks_with_a_collector_write_traces(policies: dict[str, IAMPolicy]) -> None:
    """Workers and HTTP services may send spans to X-Ray; the operator and the index's nodes may not."""
    may = {role for role, policy in policies.items() if _allows(policy, "xray:PutTraceSegments", "*")}
    assert may >= {*(f"{worker}-task" for worker in _WORKERS), "rag-task", "tickets-task"}
    assert not may & {"operator-task", "qdrant-task", "embedding-minilm-start"}


@pytest.fixture(scope="module")
def enforcing(moto: Applied) -> Iterator[tuple[Emulator, dict[str, Any]]]:
    """Moto with IAM enforced, two objects in the bucket, and the credentials of each role."""
    emulator = moto.emulator
    bucket = moto.output("model_store").removeprefix("s3://")
    # The bucket's policy denies plain HTTP, which the emulator uses.
    emulator.client("s3").delete_bucket_policy(Bucket=bucket)
    for key in ("models/minilm/model.onnx", "else/file"):
        emulator.client("s3").put_object(Bucket=bucket, Key=key, Body=b"model")
    roles = {each["RoleName"]: each["Arn"] for each in emulator.client("iam").list_roles()["Roles"]}
    given = {name.removeprefix(_PREFIX): emulator.as_role(arn) for name, arn in roles.items()}
    enforce_moto_roles(emulator)
    yield emulator, given
    enforce_moto_roles(emulator, after=10**9)


def _denied(call: Any, **arguments: Any) -> bool:
    try:
        call(**arguments)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in _DENIALS:
            raise
        return True
    return False


def test_a_task_may_read_its_model_only(
    moto: Applied, enforcing: tuple[Emulator, dict[str, Any]], table: Table
) -> None:
    """A task role may read its model and no other object, no role may write one, and no execution role may read one."""
    emulator, given = enforcing
    bucket = moto.output("model_store").removeprefix("s3://")
    model, other = {"Bucket": bucket, "Key": "models/minilm/model.onnx"}, {"Bucket": bucket, "Key": "else/file"}
    tried = 0
    for role, may in _MODEL_READERS.items():
        s3 = emulator.client("s3", given[role])
        assert _denied(s3.get_object, **model) is not may, role
        assert _denied(s3.get_object, **other), role
        assert _denied(s3.put_object, **model, Body=b"another"), role
        assert _denied(s3.delete_object, **model), role
        tried += 4
    table.row("calls tried with IAM enforced", "moto", tried)


def test_a_task_may_not_list_or_stop_others(enforcing: tuple[Emulator, dict[str, Any]]) -> None:
    """No task role may list roles, tasks, machines or secrets."""
    emulator, given = enforcing
    for role in ("embedding-minilm-task", "enrichment-minilm-task", "operator-task"):
        who = given[role]
        assert _denied(emulator.client("iam", who).list_roles)
        assert _denied(emulator.client("ecs", who).list_tasks)
        assert _denied(emulator.client("ec2", who).describe_instances)
        assert _denied(emulator.client("secretsmanager", who).list_secrets)
