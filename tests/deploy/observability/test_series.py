"""Every metric and label that a file of ours names is one that core.metrics declares."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.deploy.observability.series import documented, faults, labels_of, values_of
from tests.deploy.tools import ROOT
from tests.docs.tables import RENAMED_SECTION

_NAME: Final = re.compile(r"\btickets_[a-z_]+\b(?:\{[^}]*\})?")
#: A key of sizes.yaml that begins like a metric.
_NO_METRICS: Final = {"tickets_per_s"}
_OPERATIONS: Final = ROOT / "docs" / "operations.md"
_PAGES: Final = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("deploy/**/*.md")])
_FILES: Final = sorted(
    path for end in ("yml", "yaml", "json", "tf", "hcl") for path in (ROOT / "deploy").glob(f"**/*.{end}")
)


def faults_of_text(text: str) -> list[str]:
    """Metrics and labels in `text` that core.metrics doesn't declare."""
    found = []
    for name in _NAME.findall(RENAMED_SECTION.sub("", text)):
        metric, brace, labels = name.partition("{")
        if metric not in _NO_METRICS:
            found += faults(documented(metric) + brace + labels)
    return found


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_document_names_metrics_that_a_worker_has(page: Path) -> None:
    """Names and labels in a document are those of core.metrics; only 'Renamed in ...' names older ones."""
    assert faults_of_text(page.read_text()) == []


def test_deploy_files_name_metrics_that_a_worker_has() -> None:
    """A name in a rule, the dashboard, the collector or an alarm of Terraform is a metric of a worker."""
    named = {
        name: path
        for path in _FILES
        for name in re.findall(r"\btickets_[a-z_]+\b", path.read_text())
        if name not in _NO_METRICS
    }
    assert len(named) > 10
    assert {name: path for name, path in named.items() if labels_of(documented(name)) is None} == {}


def test_the_operations_page_names_every_stage_and_step() -> None:
    """operations.md lists the values of the labels `stage` and `step`."""
    text = _OPERATIONS.read_text()
    for series, label in (("tickets_rejected_total", "stage"), ("tickets_step_seconds_sum", "step")):
        values = values_of(series, label)
        assert values
        assert {value for value in values if f"`{value}`" not in text} == set()


def test_the_renamed_metrics_have_new_names_that_exist() -> None:
    """In the section 'Renamed in ...' of operations.md, the left column is gone and the right column exists."""
    (section,) = RENAMED_SECTION.findall(_OPERATIONS.read_text())
    rows = [row.split("|")[1:3] for row in section.splitlines() if "tickets_" in row]
    assert len(rows) == 7
    for old, new in rows:
        assert faults_of_text(old), old
        assert faults_of_text(new) == [], new


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("tickets_stage_seconds_sum", "tickets_stage_seconds_sum is not a series of a worker"),
        ("rate(tickets_step_seconds[5m])", "tickets_step_seconds is not a series of a worker"),
        ("tickets_circuit_state_sum", "tickets_circuit_state_sum is not a series of a worker"),
        ('tickets_rejected_total{made_up="x"}', "tickets_rejected_total has no label made_up"),
        ('tickets_step_seconds_bucket{step="write"}', "step is never write"),
        ('tickets_acked_total{outcome="cached"}', "outcome is never cached"),
        ('up{job=~"pipeline|worker"}', "job is never worker"),
        ("sum by (job, target) (tickets_retries_total)", "no series of the query has the label target"),
        ("sum by (le) (rate(tickets_step_seconds_sum[5m]))", "no series of the query has the label le"),
    ],
)
def test_a_made_up_name_is_found(query: str, said: str) -> None:
    """A metric, label or label value that core.metrics doesn't have is a fault of the query."""
    assert said in faults(query)


@pytest.mark.parametrize("words", ["{{reason}} ({{job}})", "{{ $labels.reason }} is out"])
def test_a_made_up_label_of_a_legend_or_summary_is_found(words: str) -> None:
    """A legend or a summary may name only the labels of its query's series."""
    assert faults("sum by (job) (tickets_rejected_total)", words) == ["no series of the query has the label reason"]


def test_a_made_up_label_in_a_document_is_found() -> None:
    """A document that names a metric with a made-up label fails, and one that lists renamed metrics doesn't."""
    assert faults_of_text('`tickets_freshness_seconds{since="event"}` rises') == []
    assert faults_of_text('`tickets_freshness_seconds{after="event"}` rises') != []
    assert faults_of_text("# Page\n## Renamed in 1.0\n`tickets_stage_seconds`\n## More\n`tickets_inflight`\n") == []
    assert faults_of_text("# Page\n## Renamed in 1.0\n\n## More\n`tickets_stage_seconds`\n") != []
