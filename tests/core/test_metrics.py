"""The names of the metrics follow Prometheus's rules."""

import pytest

from core.metrics import METRIC_NAMES, METRICS, MetricName


def test_every_name_is_described_and_no_other() -> None:
    """The Literal and the table hold the same names, in the same order."""
    assert tuple(METRICS) == METRIC_NAMES


@pytest.mark.parametrize("name", METRIC_NAMES)
def test_a_name_says_its_kind_and_unit(name: MetricName) -> None:
    """`tickets_` first; counters, and only they, end in `_total`; no label is called like a reserved one."""
    metric = METRICS[name]
    assert name.startswith("tickets_")
    assert name.endswith("_total") == (metric.kind == "counter")
    assert not {"le", "quantile", "job", "instance"} & set(metric.labels)
    assert metric.help.endswith(".")


@pytest.mark.parametrize("name", METRIC_NAMES)
def test_histograms_and_only_they_have_rising_buckets(name: MetricName) -> None:
    """Each bound once, in order; infinity is added by the client."""
    buckets = list(METRICS[name].buckets)
    assert bool(buckets) == (METRICS[name].kind == "histogram")
    assert buckets == sorted(set(buckets))
