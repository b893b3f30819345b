"""The role of each function under enforcement: the calls of its code pass, and others are denied."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from core.environment import variables
from tests.aws.trial import PREFIX, Trial
from tests.deploy.terraform.dynamodb_calls import calls_of_sessions, calls_of_the_outbox, calls_of_the_tickets_function
from tests.deploy.terraform.emulators import Credentials
from tests.deploy.terraform.table import Table
from tests.deploy.terraform.workspace import ACCOUNT, REGION

pytestmark = pytest.mark.thorough

_FUNCTIONS: Final = ("outbox", "pre_token", "responses", "tickets", "transformation")
_TOPICS: Final = {"outbox": {"tickets.raw"}, "transformation": {"tickets.raw", "tickets.dlq"}}
_STREAM: Final = {f"dynamodb:{call}" for call in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")}
_DENIALS: Final = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"}

Client = Callable[[str], Any]
Try = Callable[[Client], object]


def _get(table: str, *key: str) -> Try:
    names = ("pk", "sk") if len(key) > 1 else ("key",)
    wanted = {name: {"S": value} for name, value in zip(names, key, strict=True)}
    return lambda client: client("dynamodb").get_item(TableName=PREFIX + table, Key=wanted)


def _put(table: str, **item: str) -> Try:
    wanted = {name: {"S": value} for name, value in item.items()}
    return lambda client: client("dynamodb").put_item(TableName=PREFIX + table, Item=wanted)


def _delete(table: str) -> Try:
    key = {"pk": {"S": "a"}, "sk": {"S": "b"}} if table != "Tickets" else {"key": {"S": "a/b"}}
    return lambda client: client("dynamodb").delete_item(TableName=PREFIX + table, Key=key)


def _query_index(client: Client) -> object:
    return client("dynamodb").query(
        TableName=f"{PREFIX}Tickets",
        IndexName="by_time",
        KeyConditionExpression="tenant_id = :t",
        ExpressionAttributeValues={":t": {"S": "acme"}},
    )


def _query_outbox(client: Client) -> object:
    return client("dynamodb").query(
        TableName=f"{PREFIX}TicketMetadata",
        KeyConditionExpression="pk = :p",
        ExpressionAttributeValues={":p": {"S": "outbox/0"}},
    )


def _read_object(bucket: str) -> Try:
    return lambda client: client("s3").get_object(Bucket=bucket, Key="a.jsonl")


#: Calls that a function's code makes.
_ALLOWED: Final[dict[str, dict[str, Try]]] = {
    "tickets": {
        "Tickets: GetItem": _get("Tickets", "acme/T-1"),
        "Tickets: PutItem": _put("Tickets", key="acme/R-1", tenant_id="acme", list_order="1"),
        "Tickets/by_time: Query": _query_index,
        "TicketMetadata: PutItem": _put("TicketMetadata", pk="role", sk="1"),
        "TicketMetadata: Query": _query_outbox,
        "UserSessions: PutItem": _put("UserSessions", session_id="s"),
    },
    "outbox": {
        "Tickets: GetItem": _get("Tickets", "acme/T-1"),
        "TicketMetadata: PutItem": _put("TicketMetadata", pk="role", sk="1"),
        "TicketMetadata: Query": _query_outbox,
        "TicketMetadata: DeleteItem": _delete("TicketMetadata"),
        "Streams: ListStreams": lambda client: client("dynamodbstreams").list_streams(),
    },
    "transformation": {"raw-records: GetObject": _read_object("raw-records")},
    "responses": {},
    "pre_token": {},
}

#: Calls that no function may make: of another table, another action, another service.
_DENIED: Final[dict[str, Try]] = {
    "Feedback: GetItem": _get("Feedback", "a", "b"),
    "Tickets: DeleteItem": _delete("Tickets"),
    "Tickets: Scan": lambda client: client("dynamodb").scan(TableName=f"{PREFIX}Tickets"),
    "Tickets: DeleteTable": lambda client: client("dynamodb").delete_table(TableName=f"{PREFIX}Tickets"),
    "other-records: GetObject": _read_object("other-records"),
    "Secrets Manager: ListSecrets": lambda client: client("secretsmanager").list_secrets(),
    "Lambda: ListFunctions": lambda client: client("lambda").list_functions(),
    "IAM: ListRoles": lambda client: client("iam").list_roles(),
    "Cognito: ListUserPools": lambda client: client("cognito-idp").list_user_pools(MaxResults=1),
    "STS: AssumeRole": lambda client: client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/trial-outbox-function", RoleSessionName="test"
    ),
}


@pytest.fixture(scope="module")
def documents(trial: Trial) -> dict[str, dict[str, Any]]:
    """The policy document of each function's role."""
    iam = trial.emulator.client("iam")
    found = {}
    for function in _FUNCTIONS:
        role = f"{PREFIX}{function.replace('_', '-')}-function"
        assert iam.list_role_policies(RoleName=role)["PolicyNames"] == ["run"]
        assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
        found[function] = iam.get_role_policy(RoleName=role, PolicyName="run")["PolicyDocument"]
    return found


def _granted(document: dict[str, Any], service: str) -> set[tuple[str, str]]:
    """Every action of a service that a policy grants, with its resource."""
    return {
        (action, resource)
        for statement in document["Statement"]
        if statement["Effect"] == "Allow"
        for action in statement["Action"]
        if action.startswith(f"{service}:")
        for resource in statement["Resource"]
    }


def _table(name: str) -> str:
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{PREFIX}{name}"


def test_a_role_grants_the_calls_that_its_function_makes(documents: dict[str, dict[str, Any]]) -> None:
    """On tables the roles grant exactly the recorded calls, and that of the outbox the reading of its stream."""
    calls = {"tickets": calls_of_the_tickets_function() | calls_of_sessions(), "outbox": calls_of_the_outbox()}
    for name, document in documents.items():
        made = {(action, _table(resource)) for action, resource in calls.get(name, ())}
        on_tables = {(action, resource) for action, resource in made if "/index/" not in resource}
        on_indexes = {("dynamodb:Query", f"{_table('Tickets')}/index/*")} if made - on_tables else set()
        granted = _granted(document, "dynamodb")
        stream = {(action, resource) for action, resource in granted if "/stream/" in resource or resource == "*"}
        assert granted - stream == on_tables | on_indexes, name
        assert {action for action, _ in stream} == (_STREAM if name == "outbox" else set()), name


def test_a_role_grants_nothing_of_other_services(documents: dict[str, dict[str, Any]]) -> None:
    """Functions that send may write their topics alone, and only transformation reads S3."""
    for name, document in documents.items():
        written = {
            resource.rpartition("/")[2]
            for action, resource in _granted(document, "kafka-cluster")
            if action == "kafka-cluster:WriteData"
        }
        assert written == _TOPICS.get(name, set()), name
        objects = {("s3:GetObject", "arn:aws:s3:::raw-records/*")} if name == "transformation" else set()
        assert _granted(document, "s3") == objects
        services = {action.partition(":")[0] for each in document["Statement"] for action in each["Action"]}
        assert services <= {"dynamodb", "ec2", "kafka-cluster", "kms", "logs", "s3", "sqs", "xray"}, name


def test_no_code_of_a_function_changes_the_network(documents: dict[str, dict[str, Any]]) -> None:
    """A role that Lambda makes network interfaces with is denied the same calls from the function's own code."""
    for name, document in documents.items():
        allowed, denied = (
            {
                action
                for statement in document["Statement"]
                if statement["Effect"] == effect
                for action in statement["Action"]
                if action.startswith("ec2:")
            }
            for effect in ("Allow", "Deny")
        )
        assert allowed == denied, name
        assert bool(allowed) is (name != "pre_token")


def test_the_settings_exist(trial: Trial) -> None:
    """Every variable is one that the code knows, and only functions that send know the brokers."""
    client = trial.emulator.client("lambda")
    for name in _FUNCTIONS:
        function = client.get_function_configuration(FunctionName=f"{PREFIX}{name.replace('_', '-')}")
        given = function.get("Environment", {}).get("Variables", {})
        assert set(given) <= set(variables()), name
        assert ("TICKETS_KAFKA__BROKERS" in given) is (name in _TOPICS), name


def test_only_lambda_assumes_a_functions_role(trial: Trial) -> None:
    """The trust of each role names Lambda alone. The emulator lets the account's root assume any role."""
    iam = trial.emulator.client("iam")
    for function in _FUNCTIONS:
        role = iam.get_role(RoleName=f"{PREFIX}{function.replace('_', '-')}-function")["Role"]
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert (statement["Effect"], statement["Principal"]) == ("Allow", {"Service": "lambda.amazonaws.com"})


@pytest.fixture(scope="module")
def given(trial: Trial) -> Iterator[dict[str, Credentials]]:
    """The credentials of each function's role, which the account's root may assume for the test."""
    emulator = trial.emulator
    s3 = emulator.client("s3")
    for bucket in ("raw-records", "other-records"):
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="a.jsonl", Body=b"{}")
    iam = emulator.client("iam")
    found, before = {}, {}
    for function in _FUNCTIONS:
        role = f"{PREFIX}{function.replace('_', '-')}-function"
        before[role] = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        trusted = [
            *before[role]["Statement"],
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}},
        ]
        iam.update_assume_role_policy(
            RoleName=role, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": trusted})
        )
        found[function] = emulator.as_role(f"arn:aws:iam::{ACCOUNT}:role/{role}")
    yield found
    for role, document in before.items():
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(document))


def _passes(attempt: Try, client: Client) -> bool:
    """Whether a call isn't denied; what it answers doesn't matter."""
    try:
        attempt(client)
    except ClientError as error:
        return error.response["Error"]["Code"] not in _DENIALS
    return True


@pytest.mark.parametrize("function", _FUNCTIONS)
def test_a_role_allows_what_its_function_does(
    trial: Trial, given: dict[str, Credentials], table: Table, function: str
) -> None:
    """Each call of the function's code passes under its role; those of other functions and services are denied."""

    def client(service: str) -> Any:
        return trial.emulator.client(service, given[function])

    own = _ALLOWED[function]
    others = {name: attempt for calls in _ALLOWED.values() for name, attempt in calls.items() if name not in own}
    outcomes = {name: _passes(attempt, client) for name, attempt in {**own, **others, **_DENIED}.items()}
    for name, passed in outcomes.items():
        table.row(f"role of {function}", name, "allowed" if passed else "denied")
    assert {name for name, passed in outcomes.items() if passed} == set(own)
