"""Every alert fires when it should, is quiet otherwise, and links to its runbook."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.observability.files import DASHBOARDS, FOLDER, RULE_TESTS, RULES, RUNBOOKS, alerts, panels
from tests.deploy.observability.series import faults, selectors
from tests.deploy.tools import ROOT, tool
from tests.rigs.waiting import PATIENCE_S

_SIZES: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "sizes.yaml").read_text())
_LISTENING: dict[str, Any] = _SIZES["roles"] | _SIZES["services"] | _SIZES["background"]
_TOPICS: list[dict[str, Any]] = yaml.safe_load((ROOT / "deploy" / "k8s-ecs" / "msk" / "topics.yaml").read_text())[
    "topics"
]
_ALERTS = [pytest.param(file, rule, id=rule["alert"]) for file, rule in alerts()]

Mutation = Callable[[dict[str, Any]], None]


def _never(rule: dict[str, Any]) -> None:
    rule["expr"] = "vector(1) > 2"


def _always(rule: dict[str, Any]) -> None:
    rule["expr"] = "vector(1)"


def _at_once(rule: dict[str, Any]) -> None:
    rule.pop("for", None)


def _promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [tool("promtool", package="prometheus"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def _mutated(file: Path, name: str, mutation: Mutation, folder: Path) -> Path:
    """Write a copy of `file` with a mutation of the alert `name`, and its tests, to `folder`."""
    content = yaml.safe_load(file.read_text())
    for group in content["groups"]:
        for rule in group["rules"]:
            if rule["alert"] == name:
                mutation(rule)
    (folder / "rules.yml").write_text(yaml.safe_dump(content))
    tests = yaml.safe_load((RULE_TESTS / file.name).read_text())
    tests["rule_files"] = ["rules.yml"]
    (folder / "tests.yml").write_text(yaml.safe_dump(tests))
    return folder / "tests.yml"


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.name)
def test_the_rules_pass_their_tests(file: Path) -> None:
    """promtool's tests pass: at each time exactly the expected alerts fire, with their summaries."""
    done = _promtool("test", "rules", RULE_TESTS / file.name)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_accepts_its_configuration() -> None:
    """promtool accepts the configuration with all its rule files."""
    done = _promtool("check", "config", FOLDER / "prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    for file in RULES:
        assert file.name in done.stdout, "the configuration doesn't load it"


@pytest.mark.parametrize("mutation", [_never, _always, _at_once], ids=lambda made: made.__name__.strip("_"))
@pytest.mark.parametrize(("file", "rule"), _ALERTS)
def test_an_alert_that_is_broken_fails_its_tests(
    file: Path, rule: dict[str, Any], mutation: Mutation, tmp_path: Path
) -> None:
    """An alert that never fires, always fires or doesn't wait fails its tests."""
    if mutation is _at_once and "for" not in rule:
        pytest.skip("this alert doesn't wait")
    done = _promtool("test", "rules", _mutated(file, rule["alert"], mutation, tmp_path))
    assert done.returncode != 0, f"the tests of {rule['alert']} pass with a broken rule"
    assert f"alertname: {rule['alert']}" in done.stdout + done.stderr, "something else fails"


@pytest.mark.parametrize(("file", "rule"), _ALERTS)
def test_an_alert_has_a_test_that_fires_it_and_one_that_does_not(file: Path, rule: dict[str, Any]) -> None:
    """Each alert has a test in which it fires, and another one in which it is quiet."""
    fires, quiet = 0, 0
    for test in yaml.safe_load((RULE_TESTS / file.name).read_text())["tests"]:
        asked = [case for case in test["alert_rule_test"] if case["alertname"] == rule["alert"]]
        fires += any(case.get("exp_alerts") for case in asked)
        quiet += bool(asked) and not any(case.get("exp_alerts") for case in asked)
    assert fires
    assert quiet


@pytest.mark.parametrize(("file", "rule"), _ALERTS)
def test_an_alert_uses_a_workers_metrics(file: Path, rule: dict[str, Any]) -> None:
    """Each name and label of its query and its summary is one that a worker exposes; else it would never fire."""
    assert list(selectors(rule["expr"])), file
    assert faults(rule["expr"], rule["annotations"]["summary"]) == []


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.name)
def test_the_rules_are_tested_on_a_workers_metrics(file: Path) -> None:
    """The tests of the rules feed series with names and labels that a worker exposes."""
    tests = yaml.safe_load((RULE_TESTS / file.name).read_text())["tests"]
    fed = [series["series"] for test in tests for series in test["input_series"]]
    assert fed
    assert [fault for series in fed for fault in faults(series)] == []


@pytest.mark.parametrize(("file", "rule"), _ALERTS)
def test_an_alert_has_a_severity_and_a_runbook(file: Path, rule: dict[str, Any]) -> None:
    """Each alert has a severity, and a section of runbooks.md that says what to look at and what to do."""
    assert rule["labels"] in ({"severity": "critical"}, {"severity": "warning"}), file
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert ROOT / page == RUNBOOKS
    sections = dict(re.findall(r"^### (\w+)\n\n(.+)$", RUNBOOKS.read_text(), re.MULTILINE))
    assert anchor == rule["alert"].lower()
    assert "**Look:**" in sections[rule["alert"]]
    assert "**Do:**" in sections[rule["alert"]]


def test_the_runbooks_name_existing_alerts_and_panels() -> None:
    """Every section belongs to an alert, every panel it names exists, and so does every linked section."""
    text = RUNBOOKS.read_text()
    names = {rule["alert"] for _, rule in alerts()}
    assert set(re.findall(r"^### (\w+)$", text, re.MULTILINE)) == names
    assert set(re.findall(r"\]\(#(\w+)\)", text)) <= {name.lower() for name in names}
    mentioned = set(re.findall(r"(?<!\*)\*([A-Z][^*]+)\*(?!\*)", text))
    assert mentioned
    assert mentioned <= {panel.title for dashboard in DASHBOARDS for panel in panels(dashboard)}


def test_the_rules_have_the_numbers_of_the_sizes() -> None:
    """The rules have a task's memory of sizes.yaml, and the partitions of topics.yaml."""
    rules = {rule["alert"]: rule["expr"] for _, rule in alerts()}
    most = dict.fromkeys(_SIZES["roles"], _SIZES["task"]["memory_mib"])
    most |= {name: service["memory_mib"] for name, service in _SIZES["services"].items()}
    for jobs, mib in re.findall(r'job=~?"([^"]+)"} > 0.9 \* (\d+) \* 1024', rules["TicketsMemoryHigh"]):
        assert {most.pop(job) for job in jobs.split("|")} == {int(mib)}
    assert not most
    read = {role["reads"] for role in _SIZES["roles"].values()}
    partitions = {topic["partitions"] for topic in _TOPICS if topic["name"] in read}
    assert len(partitions) == 1, "the rule has one number for all topics"
    assert rules["TicketsPartitionUnread"].endswith(f"< {partitions.pop()}")


def test_prometheus_scrapes_every_role_and_service_where_it_listens() -> None:
    """Prometheus scrapes each role and service at its port, in a job of its name."""
    jobs = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    scraped = {job["job_name"]: job["dns_sd_configs"][0] for job in jobs if "dns_sd_configs" in job}
    wanted = {name: {"names": [name], "type": "A", "port": one["port"]} for name, one in _LISTENING.items()}
    assert scraped == wanted


def test_kubernetes_uses_the_same_job_names() -> None:
    """The PodMonitor takes the job's name from the pod's label that holds its role or service."""
    kubernetes = ROOT / "deploy" / "k8s-ecs" / "k8s"
    label = yaml.safe_load((kubernetes / "base" / "monitor.yaml").read_text())["spec"]["jobLabel"]
    for name in _LISTENING:
        kind = next(kind for kind in ("roles", "services", "background") if name in _SIZES[kind])
        folder = kubernetes / kind / name
        deployment = yaml.safe_load((folder / "deployment.yaml").read_text())
        assert deployment["spec"]["template"]["metadata"]["labels"][label] == name
