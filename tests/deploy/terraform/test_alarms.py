"""Every alarm uses an existing metric, has a subscriber, and has a row in the runbook."""

import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from core import metrics
from tests.deploy.terraform.cloudwatch_metrics import METRICS
from tests.deploy.terraform.conftest import Planned
from tests.deploy.terraform.stacks import Applied
from tests.deploy.terraform.table import Table
from tests.deploy.terraform.workspace import DEPLOY

_DOCS: Final = Path(__file__).parents[3] / "docs"
_OURS: Final = "ticketstream-"


@pytest.fixture
def alarms(plans: dict[str, Planned]) -> list[dict[str, Any]]:
    """The planned alarms of prod."""
    return [each["values"] for each in plans["prod"].resources("aws_cloudwatch_metric_alarm")]


def test_every_metric_exists(alarms: list[dict[str, Any]], table: Table) -> None:
    """An alarm's metric is an AWS metric with exactly its dimensions, or one that the collector or a machine sends."""
    sent = re.findall(r"\^(tickets_\w+)\$", (DEPLOY / "k8s-ecs" / "ecs" / "collector.yaml").read_text())
    start = (DEPLOY / "terraform" / "modules" / "capacity" / "start.sh").read_text()
    by_machines = re.findall(r"--metric-name (\w+)", start)
    assert len(alarms) > 25
    for alarm in alarms:
        if alarm["metric_name"] in by_machines:
            assert alarm["namespace"] == "ticketstream-prod"
            assert set(alarm["dimensions"]) == {"node"}
        elif alarm["namespace"].startswith(_OURS):
            assert alarm["metric_name"] in sent
            assert set(alarm["dimensions"]) == {"worker"}
        else:
            known = METRICS.get((alarm["namespace"], alarm["metric_name"]))
            assert known is not None, f"{alarm['alarm_name']}: AWS has no metric {alarm['metric_name']}"
            # The plan lacks dimensions that only the apply knows, such as the load balancer's.
            assert set(alarm.get("dimensions") or known) == known
    table.row("alarms", "prod", len(alarms))


def test_the_collector_sends_metrics_that_a_worker_has() -> None:
    """Every metric that the collector sends is a metric of a worker or a service."""
    sent = re.findall(r"\^(tickets_\w+)\$", (DEPLOY / "k8s-ecs" / "ecs" / "collector.yaml").read_text())
    assert sent
    assert set(sent) <= set(metrics.METRIC_NAMES)


def test_every_alarm_has_a_row_in_the_runbook(alarms: list[dict[str, Any]]) -> None:
    """The tag `runbook` of each alarm names a row of the deploy pages."""
    written = "".join(path.read_text() for path in _DOCS.glob("deploy*.md"))
    assert {alarm["tags"]["runbook"] for alarm in alarms if f"| `{alarm['tags']['runbook']}` |" not in written} == set()


def test_every_alarm_has_a_subscriber(moto: Applied) -> None:
    """Every alarm notifies a topic when it fires and when it ends, and the critical topic has a subscriber."""
    # AWS creates further alarms for the scaling.
    found = moto.emulator.client("cloudwatch").describe_alarms(AlarmNamePrefix="ticketstream-dev-")["MetricAlarms"]
    assert len(found) > 25
    topics = {topic["TopicArn"] for topic in moto.emulator.client("sns").list_topics()["Topics"]}
    for alarm in found:
        assert alarm["AlarmActions"], alarm["AlarmName"]
        assert set(alarm["AlarmActions"]) == set(alarm["OKActions"])
        assert set(alarm["AlarmActions"]) <= topics
    subscribed = {each["TopicArn"] for each in moto.emulator.client("sns").list_subscriptions()["Subscriptions"]}
    assert any(arn.endswith("-critical") for arn in subscribed)


def test_a_worker_scales_by_lag_over_running_tasks(moto: Applied) -> None:
    """Scaling uses two existing metrics, and the target and bounds of sizes.yaml."""
    sizes = yaml.safe_load((DEPLOY / "sizes.yaml").read_text())["roles"]
    client = moto.emulator.client("application-autoscaling")
    policies = client.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    targets = client.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    workers = {"embedding-minilm", "enrichment-minilm"}
    assert {each["ResourceId"].rsplit("/", 1)[1] for each in targets} == {*workers, "rag", "tickets", "producer"}
    bounds = {each["ResourceId"]: each for each in targets}
    for policy in (each for each in policies if each["ResourceId"].rsplit("/", 1)[1] in workers):
        role = policy["ResourceId"].rsplit("/", 1)[1].split("-")[0]
        tracking = policy["TargetTrackingScalingPolicyConfiguration"]
        assert tracking["TargetValue"] == sizes[role]["target_lag"]
        assert bounds[policy["ResourceId"]]["MinCapacity"] == sizes[role]["min_tasks"]
        assert bounds[policy["ResourceId"]]["MaxCapacity"] == sizes[role]["max_tasks"]
        parts = {each["Id"]: each for each in tracking["CustomizedMetricSpecification"]["Metrics"]}
        assert parts["lag_per_task"]["Expression"] == "lag / tasks"
        for part in ("lag", "tasks"):
            metric = parts[part]["MetricStat"]["Metric"]
            named = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
            assert set(named) == METRICS[metric["Namespace"], metric["MetricName"]]
        assert {each["Value"] for each in parts["lag"]["MetricStat"]["Metric"]["Dimensions"]} >= {
            sizes[role]["group"],
            sizes[role]["reads"],
        }
