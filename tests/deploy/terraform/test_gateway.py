"""The user pool and the REST API, as planned: who signs in, what a method demands, and what the services publish."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from core.callers import ROLES
from core.service_settings import RagSettings
from deploy.gateway import OPERATIONS, gateway_document, rendered
from lambdas.pre_token import TENANT
from services.http.problems import KINDS
from tests.deploy.terraform.conftest import Planned
from tests.deploy.terraform.tool import resources
from tests.deploy.terraform.workspace import VARIABLES, Workspace

_OPENAPI: Final = Path(__file__).parents[3] / "docs" / "openapi"
_GATEWAY_MS: Final = 29_000
#: The method that a stack of CloudFormation has.
_STREAMED: Final = "POST /api/v1/answers"


def _of(planned: Planned, kind: str) -> dict[str, dict[str, Any]]:
    return {str(each.get("index", each["name"])): each["values"] for each in planned.resources(kind)}


def test_the_operations_are_those_that_the_services_publish() -> None:
    """The module's file is what the OpenAPI documents give; `python -m deploy.gateway` writes it again."""
    assert OPERATIONS.read_text() == rendered()
    published = {
        f"{method.upper()} {path}"
        for service in ("rag", "tickets")
        for path, item in json.loads((_OPENAPI / f"{service}.json").read_text())["paths"].items()
        for method in item
        if path.startswith("/api/")
    }
    assert set(gateway_document()["operations"]) == published


def test_a_model_has_nothing_that_the_gateway_does_not_know() -> None:
    """A schema refers to no other document, and its keywords are those of JSON Schema draft 4."""
    text = json.dumps(gateway_document()["models"])
    for unknown in ('"$ref"', '"const"', '"exclusiveMinimum"', '"exclusiveMaximum"', '"$defs"', '"prefixItems"'):
        assert unknown not in text


def test_every_method_demands_a_token_with_a_scope(plans: dict[str, Planned]) -> None:
    """No method is open: each has the pool's authoriser and the validator. Only the ticket API needs a key."""
    for planned in plans.values():
        methods = _of(planned, "aws_api_gateway_method")
        assert {*methods, _STREAMED} == set(gateway_document()["operations"])
        assert _STREAMED not in methods
        for name, method in methods.items():
            assert method["authorization"] == "COGNITO_USER_POOLS", name
            keyed = "/api/v1/tickets" in name and "/similar" not in name
            assert method["api_key_required"] is keyed, name
            model = gateway_document()["operations"][name]["model"]
            assert method["request_models"] == (None if model is None else {"application/json": model}), name


def test_the_gateway_calls_what_is_behind_it(plans: dict[str, Planned]) -> None:
    """The RAG service is reached through the VPC link at its own domain over TLS, the others are functions."""
    services = {name: each["service"] for name, each in gateway_document()["operations"].items()}
    for planned in plans.values():
        for name, integration in _of(planned, "aws_api_gateway_integration").items():
            assert integration["timeout_milliseconds"] == _GATEWAY_MS
            if services[name] == "rag":
                method, path = name.split(" ")
                assert (integration["type"], integration["connection_type"]) == ("HTTP_PROXY", "VPC_LINK")
                assert integration["uri"] == f"https://tickets.example.com{path}"
                assert integration["integration_http_method"] == method
            else:
                assert (integration["type"], integration["integration_http_method"]) == ("AWS_PROXY", "POST")


def test_answers_are_streamed_by_a_method_like_the_others(plans: dict[str, Planned]) -> None:
    """It demands what the method of searches demands, and streams for longer than the longest answer takes."""
    for environment, planned in plans.items():
        (stack,) = _of(planned, "aws_cloudformation_stack").values()
        assert stack["name"] == f"ticketstream-{environment}-answers"
        template = json.loads(stack["template_body"])
        (method,) = (each["Properties"] for each in template["Resources"].values())
        search = _of(planned, "aws_api_gateway_method")["POST /api/v1/search"]
        passed_on = _of(planned, "aws_api_gateway_integration")["POST /api/v1/search"]
        assert method["HttpMethod"] == search["http_method"]
        assert method["AuthorizationType"] == search["authorization"]
        assert sorted(method["AuthorizationScopes"]) == sorted(search["authorization_scopes"])
        assert method["ApiKeyRequired"] is search["api_key_required"]
        assert method["RequestModels"] == {"application/json": gateway_document()["operations"][_STREAMED]["model"]}
        integration = method["Integration"]
        assert integration["ResponseTransferMode"] == "STREAM"
        assert integration["TimeoutInMillis"] > RagSettings().timeout_s * 1000
        assert (integration["Type"], integration["ConnectionType"]) == (passed_on["type"], passed_on["connection_type"])
        assert integration["Uri"] == passed_on["uri"].replace("/search", "/answers")
        for name in ("RestApiId", "ResourceId", "AuthorizerId", "RequestValidatorId"):
            assert method[name]["Ref"] in template["Parameters"]


@pytest.mark.thorough
def test_answers_are_not_streamed_if_not_wanted(workspace: Workspace, tmp_path: Path) -> None:
    """Without `stream_answers` all methods are Terraform's own, and there is no stack of CloudFormation."""
    root = workspace.root("envs/dev")
    result = root.plan(VARIABLES["dev"] | {"gateway": {"stream_answers": False}}, to=tmp_path / "plan")
    assert result.code == 0, result.errors()
    made = resources(root.show(tmp_path / "plan")["planned_values"]["root_module"])
    assert [each["address"] for each in made if each["type"] == "aws_cloudformation_stack"] == []
    methods = {each["index"] for each in made if each["type"] == "aws_api_gateway_method"}
    assert methods == set(gateway_document()["operations"])


def test_each_operation_of_a_function_has_a_permission(plans: dict[str, Planned]) -> None:
    """API Gateway may call a function for each of its operations, which no emulator checks."""
    functions = [each["service"] for each in gateway_document()["operations"].values() if each["service"] != "rag"]
    for planned in plans.values():
        found = [
            each["values"] | {"name": each["index"]}
            for each in planned.resources("aws_lambda_permission")
            if each["values"]["principal"] == "apigateway.amazonaws.com"
        ]
        assert sorted(each["name"].partition("-")[0] for each in found) == sorted(functions)
        cognito = [
            each["index"]
            for each in planned.resources("aws_lambda_permission")
            if each["values"]["principal"] == "cognito-idp.amazonaws.com"
        ]
        assert cognito == ["sign-in-stack"]


def test_errors_of_the_gateway_are_problem_documents(plans: dict[str, Planned]) -> None:
    """Each has a type, a status and a title of the services, and quotes nothing of the request."""
    for answer in _of(plans["prod"], "aws_api_gateway_gateway_response").values():
        problem = json.loads(answer["response_templates"]["application/json"])
        assert (problem["status"], problem["title"]) == KINDS[problem["type"].rpartition(":")[2]]
        assert answer["status_code"] == str(problem["status"])
        assert set(problem) == {"type", "title", "status", "instance"}
        assert "error.message" not in json.dumps(answer["response_templates"])


def test_the_log_of_the_gateway_has_no_ticket(plans: dict[str, Planned]) -> None:
    """Requests are logged without bodies, queries and addresses, for 30 days; execution logs have no data."""
    for environment, planned in plans.items():
        (stage,) = _of(planned, "aws_api_gateway_stage").values()
        assert stage["xray_tracing_enabled"] is True
        (settings,) = _of(planned, "aws_api_gateway_method_settings").values()
        assert settings["settings"][0]["data_trace_enabled"] is False
        assert settings["settings"][0]["throttling_rate_limit"] == 100
        groups = {
            each["name"]: each["values"]
            for each in planned.resources("aws_cloudwatch_log_group")
            if "module.api[0]" in each["address"]
        }
        assert groups["access"]["name"] == f"/ticketstream-{environment}/api"
        # API Gateway's own log of errors, whose name contains the API's id, would be kept for ever.
        assert {name: group["retention_in_days"] for name, group in groups.items()} == {"access": 30, "errors": 30}


def test_a_program_has_a_key_and_a_plan(plans: dict[str, Planned]) -> None:
    """Each program's requests are bounded per second and per day."""
    (plan,) = _of(plans["prod"], "aws_api_gateway_usage_plan").values()
    assert plan["quota_settings"][0]["limit"] == 1000
    assert plan["quota_settings"][0]["period"] == "DAY"
    assert (plan["throttle_settings"][0]["rate_limit"], plan["throttle_settings"][0]["burst_limit"]) == (5, 10)


def test_only_administrators_set_a_tenant(plans: dict[str, Planned]) -> None:
    """No application may write the tenant; users can't register themselves; passwords have 12 characters and TOTP."""
    for environment, planned in plans.items():
        (pool,) = _of(planned, "aws_cognito_user_pool").values()
        assert pool["deletion_protection"] == ("ACTIVE" if environment == "prod" else "INACTIVE")
        assert pool["admin_create_user_config"][0]["allow_admin_create_user_only"] is True
        assert pool["password_policy"][0]["minimum_length"] == 12
        assert pool["software_token_mfa_configuration"] == [{"enabled": True}]
        assert pool["lambda_config"][0]["pre_token_generation_config"][0]["lambda_version"] == "V3_0"
        (attribute,) = pool["schema"]
        assert f"custom:{attribute['name']}" == TENANT
        for client in _of(planned, "aws_cognito_user_pool_client").values():
            assert TENANT not in client["write_attributes"]
            assert client["prevent_user_existence_errors"] == "ENABLED"
            assert client["enable_token_revocation"] is True
        assert set(_of(planned, "aws_cognito_user_group")) == set(ROLES)


def test_the_page_signs_in_by_code_and_a_program_by_password(plans: dict[str, Planned]) -> None:
    """The page has no secret and gets its tokens for a code; only programs send a password, and have a secret."""
    clients = _of(plans["prod"], "aws_cognito_user_pool_client")
    console, programs = clients["console"], clients["programs"]
    assert (console["generate_secret"], console["allowed_oauth_flows"]) == (False, ["code"])
    assert "ALLOW_USER_PASSWORD_AUTH" not in console["explicit_auth_flows"]
    assert programs["generate_secret"] is True


def test_prod_refuses_to_destroy_the_pool(workspace: Workspace, plans: dict[str, Planned]) -> None:
    """The guard names the pool, and only prod has it."""
    text = (workspace.folder / "terraform" / "modules" / "sign_in" / "guard.tf").read_text()
    assert "aws_cognito_user_pool.this.id" in text
    assert "prevent_destroy      = true" in text
    guards = {each["address"] for each in plans["prod"].resources("terraform_data")}
    assert "module.ticketstream.module.sign_in[0].terraform_data.keeps_users[0]" in guards


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"functions": None, "gateway": None}, "sign_in needs functions"),
        ({"sign_in": None}, "gateway needs functions and sign_in"),
        (
            {"sign_in": {"domain_prefix": "our-cognito", "callback_urls": ["https://a.example"]}},
            "domain_prefix must be",
        ),
        ({"sign_in": {"domain_prefix": "ours", "callback_urls": ["http://a.example"]}}, "callback_urls must be"),
    ],
)
def test_what_leaks_or_lacks_something_is_refused(workspace: Workspace, change: dict[str, Any], message: str) -> None:
    """The plan refuses a pool without its trigger, an API without a pool, and addresses without TLS."""
    result = workspace.root("envs/dev").plan(VARIABLES["dev"] | change)
    assert result.code != 0
    assert message in result.errors()
