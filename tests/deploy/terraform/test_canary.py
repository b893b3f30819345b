"""The canary, as planned: it runs outside the VPC every five minutes, and alarms if it doesn't run."""

from typing import Any

import pytest

from tests.deploy.terraform.conftest import Planned
from tests.deploy.terraform.workspace import VARIABLES, Workspace


def _canary(planned: Planned) -> list[dict[str, Any]]:
    return [each for each in planned.resources() if "module.canary[0]." in each["address"]]


def test_the_canary_asks_the_public_address_from_outside(plans: dict[str, Planned]) -> None:
    """The canary is not in the VPC, and a schedule that may call it does so every five minutes."""
    for planned in plans.values():
        (function,) = (each["values"] for each in _canary(planned) if each["type"] == "aws_lambda_function")
        assert not function["vpc_config"]
        assert function["handler"] == "lambdas.canary.handler"
        (rule,) = (each["values"] for each in _canary(planned) if each["type"] == "aws_cloudwatch_event_rule")
        assert rule["schedule_expression"] == "rate(5 minutes)"
        (permission,) = (each["values"] for each in _canary(planned) if each["type"] == "aws_lambda_permission")
        assert permission["principal"] == "events.amazonaws.com"


def test_a_canary_that_does_not_run_is_an_alarm(plans: dict[str, Planned]) -> None:
    """Each check has an alarm of its own, on the metrics of this function, which takes missing runs for failed ones."""
    for planned in plans.values():
        (function,) = (each["values"] for each in _canary(planned) if each["type"] == "aws_lambda_function")
        alarms = {
            each["index"]: each["values"] for each in _canary(planned) if each["type"] == "aws_cloudwatch_metric_alarm"
        }
        for check in ("search", "answer"):
            assert alarms[check]["treat_missing_data"] == "breaching"
            assert alarms[check]["dimensions"] == {"function": function["function_name"], "check": check}


@pytest.mark.thorough
def test_a_canary_without_an_api_is_refused(workspace: Workspace) -> None:
    """The plan refuses a canary without `gateway`, through which it asks."""
    result = workspace.root("envs/dev").plan(VARIABLES["dev"] | {"gateway": None})
    assert result.code != 0
    assert "canary needs gateway" in result.errors()
