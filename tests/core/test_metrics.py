"""The metrics follow Prometheus's naming rules."""

import pytest

from core.metrics import METRIC_NAMES, METRICS, MetricName


def test_the_literal_and_the_table_agree() -> None:
    """The Literal and the table have the same names, in the same order."""
    assert tuple(METRICS) == METRIC_NAMES


@pytest.mark.parametrize("name", METRIC_NAMES)
def test_a_name_follows_the_rules(name: MetricName) -> None:
    """Names begin with `tickets_`, only counters end in `_total`, and no label has a reserved name."""
    metric = METRICS[name]
    assert name.startswith("tickets_")
    assert name.endswith("_total") == (metric.kind == "counter")
    assert not {"le", "quantile", "job", "instance"} & set(metric.labels)
    assert metric.help.endswith(".")


@pytest.mark.parametrize("name", METRIC_NAMES)
def test_only_histograms_have_buckets(name: MetricName) -> None:
    """The bounds of a histogram rise strictly; the client adds infinity."""
    buckets = list(METRICS[name].buckets)
    assert bool(buckets) == (METRICS[name].kind == "histogram")
    assert buckets == sorted(set(buckets))
