"""The dashboard shows every alarm with its metrics and bounds, and the budget tells people before it is spent."""

import re
from pathlib import Path
from typing import Any, Final

import pytest

from tests.deploy.terraform import dashboard
from tests.deploy.terraform.conftest import Planned
from tests.deploy.terraform.table import Table
from tests.deploy.terraform.workspace import DEPLOY, VARIABLES, Workspace

_COLUMNS: Final = 24
#: CloudWatch's limit of a widget of alarms.
_SHOWN: Final = 100
#: An alarm of another module, in tests/deploy/terraform/dashboard.py.
_OTHER: Final = "ticketstream-prod-api-errors"


@pytest.fixture(scope="module")
def found(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The planned resources of the module."""
    return dashboard.planned(workspace.branch(tmp_path_factory.mktemp("dashboard") / "deploy"))


def test_every_alarm_is_on_the_dashboard(found: list[dict[str, Any]], table: Table) -> None:
    """Each alarm's state is shown, and a graph has its metric, with all dimensions and its statistic, and its bound."""
    alarms = [each["values"] for each in found if each["type"] == "aws_cloudwatch_metric_alarm"]
    widgets = dashboard.body(found)["widgets"]
    states, graphs = ([each for each in widgets if each["type"] == kind] for kind in ("alarm", "metric"))
    names = [arn.rpartition(":")[2] for each in states for arn in each["properties"]["alarms"]]
    assert sorted(names) == sorted([*(alarm["alarm_name"] for alarm in alarms), _OTHER])
    assert all(len(each["properties"]["alarms"]) <= _SHOWN for each in states)
    shown = {graph["properties"]["title"]: graph["properties"] for graph in graphs}
    for alarm in alarms:
        graph = shown[alarm["tags"]["runbook"]]
        metric = [alarm["namespace"], alarm["metric_name"]]
        metric += [text for pair in sorted(alarm["dimensions"].items()) for text in pair]
        drawn = {tuple(each[:-1]): each[-1]["stat"] for each in graph["metrics"]}
        assert drawn[tuple(metric)] in (alarm["statistic"], alarm["extended_statistic"])
        bounds = {(each["value"], each["fill"]) for each in graph["annotations"]["horizontal"]}
        wrong = "above" if alarm["comparison_operator"].startswith("Greater") else "below"
        assert (alarm["threshold"], wrong) in bounds
    table.row("graphs of the dashboard", "prod", len(graphs))


def test_the_alarms_of_all_modules_are_on_the_dashboard(plans: dict[str, Planned]) -> None:
    """Each module of the stack that has alarms passes them to the dashboard, and no widget has more than it shows."""
    alarms = plans["prod"].resources("aws_cloudwatch_metric_alarm")
    owners = [re.match(r"module\.ticketstream\.module\.(\w+)", each["address"]) for each in alarms]
    passed = (DEPLOY / "terraform" / "modules" / "stack" / "alarms.tf").read_text()
    for name in {found[1] for found in owners if found is not None} - {"observability"}:
        assert f"module.{name}[*].drawn" in passed
    for severity in ("critical", "warning"):
        assert sum(each["values"]["tags"]["severity"] == severity for each in alarms) <= _SHOWN


def test_no_graph_covers_another(found: list[dict[str, Any]]) -> None:
    """Each place of the grid belongs to one widget at most."""
    taken = [
        (x, y)
        for each in dashboard.body(found)["widgets"]
        for x in range(each["x"], each["x"] + each["width"])
        for y in range(each["y"], each["y"] + each["height"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < _COLUMNS


def test_the_dashboard_can_be_drawn(found: list[dict[str, Any]], tmp_path: Path) -> None:
    """The picture of docs/images is made by this code."""
    dashboard.picture(dashboard.body(found), tmp_path / "dashboard.png")
    assert (tmp_path / "dashboard.png").stat().st_size > 50_000


def test_each_severity_has_a_topic_that_alarms_and_budgets_may_use(found: list[dict[str, Any]]) -> None:
    """There are topics for critical, warning and info, and every alarm tells one of them."""
    topics = {each["index"] for each in found if each["type"] == "aws_sns_topic"}
    assert topics == {"critical", "warning", "info"}
    severities = {each["values"]["tags"]["severity"] for each in found if each["type"] == "aws_cloudwatch_metric_alarm"}
    assert severities <= topics


def test_the_budget_tells_people(plans: dict[str, Planned]) -> None:
    """The budget finds the environment's resources by tags, and notifies at 80 and 100 % spent and 100 % forecast."""
    (budget,) = (each["values"] for each in plans["prod"].resources("aws_budgets_budget"))
    assert (float(budget["limit_amount"]), budget["time_unit"]) == (VARIABLES["prod"]["budget_usd"], "MONTHLY")
    (by_tag,) = budget["cost_filter"]
    assert by_tag["name"] == "TagKeyValue"
    assert set(by_tag["values"]) == {"user:application$ticketstream", "user:environment$prod"}
    told = {(each["notification_type"], each["threshold"]) for each in budget["notification"]}
    assert told == {("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)}
    assert {each["threshold_type"] for each in budget["notification"]} == {"PERCENTAGE"}
