"""The CloudWatch dashboard: `python -m tests.deploy.terraform.dashboard FILE.png` draws it with made-up values.

The values of each graph stay within its bounds for two hours and leave them in the third, as its alarms would see it.
"""

import json
import math
import random
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from matplotlib.figure import Figure

from tests.deploy.terraform.tool import find_tool, resources
from tests.deploy.terraform.workspace import ACCOUNT, REGION, Workspace

_ROOT: Final = f"""
provider "aws" {{
  region = "{REGION}"
}}

module "observability" {{
  source       = "../modules/observability"
  name         = "ticketstream-prod"
  account_id   = "{ACCOUNT}"
  region       = "{REGION}"
  partition    = "aws"
  key_arn      = "arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000"
  subscribers  = {{ critical = ["oncall@example.com"] }}
  kafka        = {{ name = "ticketstream-prod", broker_ids = ["1", "2", "3"] }}
  cluster_name = "ticketstream-prod"
  namespace    = "ticketstream-prod"

  index = {{
    nodes         = ["qdrant-a", "qdrant-b", "qdrant-c"]
    load_balancer = "net/index/1"
    target_group  = "targetgroup/index/1"
  }}

  workers = {{ for name, topic in {{ enrichment = "tickets.raw", embedding = "tickets.enriched" }} : name => {{
    group      = "ticketstream-${{name}}"
    topic      = topic
    target_lag = 6000
    min_tasks  = 2
    max_tasks  = 12
  }} }}

  background = {{
    archive  = {{ min_tasks = 1, group = "ticketstream-archive", topic = "tickets.raw" }}
    producer = {{ min_tasks = 2 }}
  }}
  copies = {{ archive = {{ source = "prod-use1-archive", target = "prod-use1-copy-archive" }} }}
  vaults = ["ticketstream-prod"]

  others = {{ ticketstream-prod-api-errors = {{
    namespace  = "AWS/ApiGateway"
    metric     = "5XXError"
    dimensions = {{ ApiName = "ticketstream-prod", Stage = "live" }}
    statistic  = "Sum"
    threshold  = 10
    severity   = "critical"
    runbook    = "api-errors"
  }} }}

  services = {{
    load_balancer = "app/api/1"
    tables        = {{ Tickets = "ticketstream-prod-Tickets", Feedback = "ticketstream-prod-Feedback" }}
    cache_nodes   = {{ cache-001 = "ticketstream-prod-cache-001" }}
    services = {{
      rag     = {{ target_group = "targetgroup/rag/1", slow_s = 5, min_tasks = 2 }}
      tickets = {{ target_group = "targetgroup/tickets/1", slow_s = 1, min_tasks = 2 }}
    }}
  }}
}}
"""
_MINUTES: Final = 180
_FAULT: Final = range(120, 150)
_INCHES: Final = 0.62
_COLOURS: Final = ("#1f77b4", "#ff7f0e", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#17becf")


def planned(workspace: Workspace) -> list[dict[str, Any]]:
    """The resources of a plan of the module alone, in which nothing is known only after the apply."""
    place = "dashboard"
    (workspace.folder / "terraform" / place).mkdir()
    workspace.write(f"terraform/{place}/main.tf", _ROOT)
    workspace.offline(place)
    root = workspace.root(place)
    path = root.folder / "dashboard.tfplan"
    for result in (root.init(), root.plan({}, to=path)):
        assert result.code == 0, result.errors() or result.out
    return resources(root.show(path)["planned_values"]["root_module"])


def body(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The content of the dashboard."""
    (values,) = (each["values"] for each in found if each["type"] == "aws_cloudwatch_dashboard")
    return dict(json.loads(values["dashboard_body"]))


def picture(content: dict[str, Any], path: Path) -> None:
    """Draw the dashboard."""
    widgets = content["widgets"]
    height = max(each["y"] + each["height"] for each in widgets)
    figure = Figure(figsize=(24 * _INCHES, height * _INCHES), layout=None)
    for each in widgets:
        place = (
            (each["x"] + 0.9) / 24,
            1 - (each["y"] + each["height"] - 0.7) / height,
            (each["width"] - 1.3) / 24,
            (each["height"] - 1.6) / height,
        )
        _draw(figure.add_axes(place), each)
    figure.savefig(path, dpi=70)


def _draw(axes: Any, widget: dict[str, Any]) -> None:
    properties = widget["properties"]
    axes.set_title(properties["title"], fontsize=9, loc="left")
    if widget["type"] == "alarm":
        axes.set_axis_off()
        names = [arn.rpartition(":")[2].removeprefix("ticketstream-prod-") for arn in properties["alarms"]]
        for place, name in enumerate(names):
            across, down = place % 6 / 6, 1 - (place // 6 + 1) / (len(names) // 6 + 2)
            axes.text(across, down, f"■ {name}", fontsize=6, color="#1d8102", transform=axes.transAxes)
        return
    bounds = properties["annotations"]["horizontal"]
    for number, metric in enumerate(properties["metrics"]):
        values = _values(f"{metric}", bounds[min(number, len(bounds) - 1)] if bounds else None, number == 0)
        axes.plot(values, linewidth=0.9, color=_COLOURS[number % len(_COLOURS)], label=metric[-1]["label"])
    for each in properties["annotations"]["horizontal"]:
        axes.axhline(each["value"], color=each["color"], linewidth=1, linestyle="--")
        axes.text(_MINUTES, each["value"], each["label"], fontsize=6, color=each["color"], ha="right", va="bottom")
    axes.set_ylim(bottom=0)
    axes.tick_params(labelsize=6)
    axes.set_xticks([0, 60, 120, 180], ["−3 h", "−2 h", "−1 h", "now"])
    axes.legend(fontsize=5, ncols=3, loc="upper left", frameon=False)


def _values(name: str, bound: dict[str, Any] | None, at_fault: bool) -> list[float]:
    rng = random.Random(name)
    if bound is None:
        usual, worse = 40.0, 60.0
    elif bound["fill"] == "below":
        usual, worse = bound["value"] + 1.5, max(0.0, bound["value"] - 1.0)
    else:
        usual, worse = 0.5 * bound["value"], 1.3 * bound["value"] + 0.5
    waves = [usual * (1 + 0.15 * math.sin(minute / 25) + rng.uniform(-0.08, 0.08)) for minute in range(_MINUTES)]
    return [worse if at_fault and bound and minute in _FAULT else value for minute, value in enumerate(waves)]


if __name__ == "__main__":
    tool = find_tool()
    if tool is None:
        sys.exit("terraform 1.11 or newer is not installed")
    with tempfile.TemporaryDirectory() as folder:
        picture(body(planned(Workspace.copy(tool, Path(folder) / "deploy"))), Path(sys.argv[1]))
