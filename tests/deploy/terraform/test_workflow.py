"""The workflow of new tickets, as planned: its functions, what wakes it, and its credentials."""

import json
import re
from typing import Any, Final

import pytest

from core.environment import variables
from lambdas.contents import FUNCTIONS
from tests.aws.states import STEPS
from tests.deploy.terraform.conftest import Planned
from tests.deploy.terraform.workspace import ACCOUNT, REGION, VARIABLES, Workspace

_OURS: Final = re.compile(r"module\.workflow_functions\[0\]")
#: Seconds that the state machine waits for a step: workflow.asl.json.
_CALLER_S: Final = 30
_INSIDE: Final = {"classify", "find", "answer"}


def _functions(planned: Planned) -> dict[str, dict[str, Any]]:
    found = [each for each in planned.resources("aws_lambda_function") if _OURS.search(each["address"])]
    return {each["index"].removeprefix("workflow_"): each["values"] for each in found}


def test_every_function_of_the_zip_is_planned(plans: dict[str, Planned]) -> None:
    """Each handler of the zip is a function that ends before its caller gives up, with settings that the code knows."""
    for planned in plans.values():
        found = _functions(planned)
        assert set(found) == set(FUNCTIONS["workflow"].handlers) == {"start", *STEPS}
        for name, function in found.items():
            assert function["handler"] == f"{FUNCTIONS['workflow'].module}.{name}"
            assert function["timeout"] < _CALLER_S
            assert set(function["environment"][0].get("variables") or {}) <= set(variables())
            assert bool(function["vpc_config"]) is (name in _INSIDE)


def test_a_new_ticket_starts_the_workflow(plans: dict[str, Planned]) -> None:
    """An insertion into Tickets wakes `start`, again and again if it fails, and its keys are all that it gets."""
    for planned in plans.values():
        (mapping,) = (
            each["values"]
            for each in planned.resources("aws_lambda_event_source_mapping")
            if _OURS.search(each["address"])
        )
        assert (mapping["maximum_retry_attempts"], mapping["bisect_batch_on_function_error"]) == (-1, True)
        assert mapping["starting_position"] == "LATEST"
        (pattern,) = mapping["filter_criteria"][0]["filter"]
        assert json.loads(pattern["pattern"]) == {"eventName": ["INSERT"]}
        tables = {each.get("index"): each["values"] for each in planned.resources("aws_dynamodb_table")}
        table = tables["Tickets"]
        assert (table["stream_enabled"], table["stream_view_type"]) == (True, "KEYS_ONLY")


def test_start_names_the_state_machine(plans: dict[str, Planned]) -> None:
    """The ARN among its settings is that of the machine, which is created after it."""
    for environment, planned in plans.items():
        (machine,) = (each["values"] for each in planned.resources("aws_sfn_state_machine"))
        given = _functions(planned)["start"]["environment"][0]["variables"]["TICKETS_WORKFLOW__STATE_MACHINE_ARN"]
        assert given == f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{machine['name']}"
        assert machine["name"] == f"ticketstream-{environment}-workflow"
        assert machine["tracing_configuration"] == [{"enabled": True}]


def test_the_workflow_has_credentials_of_its_own(plans: dict[str, Planned]) -> None:
    """Its application gets tokens for any tenant, by a secret; no other has that scope, and the REST API refuses it."""
    for planned in plans.values():
        clients = {each["values"]["name"]: each["values"] for each in planned.resources("aws_cognito_user_pool_client")}
        ours = clients["workflow"]
        assert (ours["generate_secret"], ours["allowed_oauth_flows"]) == (True, ["client_credentials"])
        assert ours["allowed_oauth_scopes"] == ["ticketstream/service"]
        for name, client in clients.items():
            assert name == "workflow" or "ticketstream/service" not in (client.get("allowed_oauth_scopes") or [])
        for method in planned.resources("aws_api_gateway_method"):
            assert "ticketstream/service" not in (method["values"].get("authorization_scopes") or [])
        secrets = {each["index"] for each in planned.resources("aws_secretsmanager_secret")}
        assert "workflow-client" in secrets


@pytest.mark.thorough
@pytest.mark.parametrize("without", [("functions", "sign_in", "gateway"), ("sign_in", "gateway")])
def test_a_workflow_without_functions_or_tokens_is_refused(workspace: Workspace, without: tuple[str, ...]) -> None:
    """The plan refuses a workflow without its functions, and one whose steps would get no token."""
    result = workspace.root("envs/dev").plan(VARIABLES["dev"] | dict.fromkeys(without))
    assert result.code != 0
    assert "workflow needs functions" in result.errors()
