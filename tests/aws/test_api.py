"""Requests over HTTP through API Gateway that are allowed or refused."""

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.aws.rag import Rag
from tests.aws.trial import Trial
from tests.aws.users import Users
from tests.deploy.terraform.table import Table
from tests.rigs.issuer import encode, rsa_key, sign

pytestmark = pytest.mark.thorough

_TICKETS: Final = "/api/v1/tickets"
_TICKET: Final = {"ticket_id": "T-1", "subject": "It fails", "body": "It fails since Monday."}
_PROBLEM: Final = "urn:ticketstream:problem:"


class Api:
    """A client of the API, with the key of a program or without."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        keys = trial.emulator.client("apigateway")
        self._key = keys.get_api_key(apiKey=trial.outputs["keys"]["crm"], includeValue=True)["value"]

    def __call__(
        self,
        method: str,
        path: str,
        token: str | None = None,
        body: object = None,
        *,
        keyed: bool = True,
        headers: Mapping[str, str] = {},
    ) -> httpx.Response:
        """Send a request."""
        given = dict(headers)
        if token is not None:
            given["Authorization"] = f"Bearer {token}"
        if keyed:
            given["x-api-key"] = self._key
        return httpx.request(method, self._trial.url(path), json=body, headers=given, timeout=120)


@pytest.fixture(scope="module")
def users(trial: Trial) -> Users:
    """A program and an agent of acme, an operator of globex, and a user without a tenant."""
    made = Users(trial)
    made.create("crm", tenant="acme", role="service")
    made.create("jane", tenant="acme", role="agent")
    made.create("olga", tenant="globex", role="operator")
    made.create("nobody", tenant=None, role="agent")
    return made


@pytest.fixture(scope="module")
def api(trial: Trial) -> Api:
    """The API."""
    return Api(trial)


@pytest.fixture(scope="module")
def program(users: Users, api: Api) -> str:
    """The program's access token, with which it has created a ticket."""
    token = users.of_program("crm").access
    created = api("POST", _TICKETS, token, _TICKET)
    assert created.status_code == 201, created.text
    return token


def _part(token: str, number: int) -> dict[str, Any]:
    part = token.split(".")[number]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


def _header(token: str) -> dict[str, Any]:
    return _part(token, 0)


def _claims(token: str) -> dict[str, Any]:
    return _part(token, 1)


def _forged(token: str) -> str:
    """The same content under a key of somebody else, with the name of the pool's."""
    return sign(_header(token), _claims(token), rsa_key("somebody"))


def _unsigned(token: str) -> str:
    header = encode(json.dumps({**_header(token), "alg": "none"}).encode())
    return f"{header}.{token.split('.')[1]}."


def test_a_good_token_gets_an_answer(api: Api, program: str, users: Users, table: Table) -> None:
    """A program reads its ticket, and an agent of the same tenant, who signed in in a browser, reads it too."""
    for who, token in {"program": program, "browser": users.in_browser("jane").access}.items():
        read = api("GET", f"{_TICKETS}/T-1", token)
        assert (read.status_code, read.json()["body"]) == (200, _TICKET["body"])
        table.row("token", f"good ({who})", read.status_code)


def test_no_other_token_gets_one(api: Api, program: str, users: Users, table: Table) -> None:
    """A missing, forged, unsigned, cut or changed token is 401, and so are an ID token and one without the scope."""
    changed = program.split(".")
    changed[1] = encode(json.dumps({**_claims(program), "custom:tenant_id": "globex"}).encode())
    browser = users.in_browser("jane", "openid")
    tokens = {
        "none": None,
        "forged": _forged(program),
        "alg none": _unsigned(program),
        "cut": program[:-20],
        "another tenant written in": ".".join(changed),
        "ID token": users.of_program("crm").id,
        "without the scope": browser.access,
        "no JWT": "secret",
    }
    for name, token in tokens.items():
        answer = api("GET", f"{_TICKETS}/T-1", token)
        table.row("token", name, answer.status_code)
        assert answer.status_code == 401, name
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"] == f"{_PROBLEM}unauthenticated"


def test_a_tenant_sees_its_own_tickets_alone(api: Api, program: str, users: Users, table: Table) -> None:
    """An operator of another tenant finds no ticket of acme, and can create one of the same id."""
    olga = users.in_browser("olga").access
    answer = api("GET", f"{_TICKETS}/T-1", olga)
    table.row("token", "another tenant", answer.status_code)
    assert answer.status_code == 404
    assert api("GET", _TICKETS, olga).json()["tickets"] == []
    assert api("POST", _TICKETS, olga, {"ticket_id": "T-1", "body": "Other."}).status_code == 201
    assert api("GET", f"{_TICKETS}/T-1", program).json()["body"] == _TICKET["body"]


def test_the_claims_arrive(api: Api, program: str, users: Users) -> None:
    """The function knows tenant, user and roles, which the pre-token function wrote into the token."""
    for token, roles in ((program, ["service"]), (users.in_browser("jane").access, ["agent"])):
        session = api("GET", "/api/v1/session", token, keyed=False)
        assert session.status_code == 200, session.text
        found = session.json()
        assert (found["tenant_id"], found["roles"], found["user_id"]) == ("acme", roles, _claims(token)["sub"])


def test_a_role_may_not_do_everything(api: Api, users: Users, table: Table) -> None:
    """An agent may not delete a ticket: 403 from the service itself."""
    answer = api("DELETE", f"{_TICKETS}/T-1", users.in_browser("jane").access, headers={"If-Match": "*"})
    table.row("token", "without the role", answer.status_code)
    assert answer.status_code == 403
    assert answer.json()["type"] == f"{_PROBLEM}forbidden"


def test_nobody_without_a_tenant_signs_in(users: Users, table: Table) -> None:
    """The pool issues no token to a user without a tenant."""
    with pytest.raises(ClientError) as error:
        users.of_program("nobody")
    # Cognito says UserLambdaValidationException.
    assert error.value.response["Error"]["Code"] in ("InternalError", "UserLambdaValidationException")
    assert users.of_program("crm").access
    table.row("token", "user without a tenant", "no token")


def test_the_ticket_api_needs_a_programs_key(api: Api, program: str) -> None:
    """Without a key the ticket API is 403; what the page calls needs none."""
    refused = api("GET", f"{_TICKETS}/T-1", program, keyed=False)
    assert (refused.status_code, refused.json()["type"]) == (403, f"{_PROBLEM}forbidden")
    assert api("POST", "/api/v1/search", program, {"question": "it fails"}, keyed=False).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (_TICKETS, {"body": 7}),
        (_TICKETS, {"body": "text", "tenant_id": "globex"}),
        ("/api/v1/search", {}),
        ("/api/v1/search", {"question": "why", "limit": "ten"}),
    ],
)
def test_a_wrong_body_reaches_no_service(api: Api, program: str, rag: Rag, path: str, body: dict[str, Any]) -> None:
    """A body that breaks the OpenAPI document's schema is 422, with a problem document that quotes nothing of it."""
    before = len(rag.seen)
    answer = api("POST", path, program, body)
    assert answer.status_code == 422, answer.text
    assert set(answer.json()) == {"type", "title", "status", "instance"}
    assert len(rag.seen) == before


def test_the_method_of_answers_is_complete(api: Api, program: str, rag: Rag, trial: Trial) -> None:
    """The method that CloudFormation makes has the authoriser, the validator and the path; a question is passed on.

    ministack makes methods of CloudFormation without their validator, and streams no response.
    """
    question = {"question": "it fails"}
    assert api("POST", "/api/v1/answers", None, question).status_code == 401
    answer = api("POST", "/api/v1/answers", program, question, keyed=False)
    assert answer.status_code == 200, answer.text
    assert rag.seen[-1].path == "/api/v1/answers"
    (stack,) = trial.emulator.client("cloudformation").describe_stacks(StackName="trial-answers")["Stacks"]
    given = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
    gateway, of = trial.emulator.client("apigateway"), {"restApiId": given["Api"]}
    assert gateway.get_resource(resourceId=given["Resource"], **of)["path"] == "/api/v1/answers"
    assert gateway.get_authorizer(authorizerId=given["Authoriser"], **of)["type"] == "COGNITO_USER_POOLS"
    assert gateway.get_request_validator(requestValidatorId=given["Validator"], **of)["validateRequestBody"] is True


def test_other_paths_do_not_exist(api: Api, program: str) -> None:
    """Probes, metrics and paths that no document has are 404."""
    for path in ("/health", "/metrics", "/api/v1/else", "/openapi.json"):
        assert api("GET", path, program).status_code == 404


def test_the_rag_service_gets_the_request_and_its_token(api: Api, program: str, rag: Rag) -> None:
    """Search goes to the load balancer and feedback through a function, with path, query and token unchanged."""
    api("GET", f"{_TICKETS}/T-1/similar?limit=3", program)
    api("POST", "/api/v1/answers/a-1/feedback", program, {"verdict": "sent"})
    similar, feedback = rag.seen[-2:]
    assert (similar.method, similar.path, similar.query) == ("GET", f"{_TICKETS}/T-1/similar", "limit=3")
    assert (feedback.method, feedback.path) == ("POST", "/api/v1/answers/a-1/feedback")
    assert similar.authorization == feedback.authorization == f"Bearer {program}"
