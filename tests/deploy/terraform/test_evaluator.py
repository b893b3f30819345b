"""Every alarm of the plan fires when it should and is silent otherwise, as CloudWatch evaluates it."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, Final

import pytest

from tests.deploy.terraform.alarm_cases import case_of
from tests.deploy.terraform.cloudwatch_metrics import METRICS
from tests.deploy.terraform.conftest import Planned
from tests.deploy.terraform.evaluator import Metric, Points, Samples, State, evaluate, math, states
from tests.deploy.terraform.table import Table

_POINTS: Final[dict[str, bool | None]] = {"0": False, "X": True, "-": None}
#: Minutes before the fault, and after it.
_BEFORE: Final = 5


# --- the evaluation itself


@pytest.mark.parametrize(
    ("points", "m", "wanted"),
    [
        # Treated as missing, ignore, breaching, notBreaching; R: the state before.
        ("0 - X - X", 3, "OK OK OK OK"),
        ("- - - - 0", 3, "OK OK OK OK"),
        ("- - - - -", 3, "INSUFFICIENT_DATA R ALARM OK"),
        ("0 X X - X", 3, "ALARM ALARM ALARM ALARM"),
        ("- - X - -", 3, "ALARM R ALARM OK"),
        ("0 - X - X", 2, "ALARM ALARM ALARM ALARM"),
        ("0 0 X 0 X", 2, "ALARM ALARM ALARM ALARM"),
        ("0 - X - -", 2, "OK OK ALARM OK"),
        ("- - - - 0", 2, "OK OK ALARM OK"),
        ("- - - X -", 2, "ALARM R ALARM OK"),
        ("- - - - X", 2, "R R ALARM OK"),
    ],
)
@pytest.mark.parametrize("before", ["OK", "ALARM"])
def test_missing_data_is_treated_as_the_guide_says(points: str, m: int, wanted: str, before: State) -> None:
    """The rows of the guide's tables for three evaluation periods, three or two of which have to breach."""
    given = [_POINTS[point] for point in points.split()]
    found = [
        evaluate(given, m=m, n=3, missing=missing, state=before)
        for missing in ("missing", "ignore", "breaching", "notBreaching")
    ]
    assert found == [before if state == "R" else state for state in wanted.split()]


def test_a_period_has_its_statistic() -> None:
    """Two periods of two minutes: 3 of 5 samples are above the threshold, and only their sum and maximum are."""
    alarm = {
        **_ALARM,
        "period": 120,
        "evaluation_periods": 1,
        "threshold": 4,
    }
    sent = {_SENT: [[1.0, 5.0], [1.0], [1.0], [2.0]]}
    wanted = {"Maximum": "ALARM", "Sum": "ALARM", "Average": "OK", "Minimum": "OK", "SampleCount": "OK", "p99": "ALARM"}
    for statistic, state in wanted.items():
        assert states({**alarm, "statistic": statistic}, sent, minutes=4) == [state, "OK"]


def test_other_dimensions_are_another_metric() -> None:
    """An alarm on a part of the dimensions has no data."""
    other = Metric("n", "m", frozenset({("a", "1"), ("b", "2")}))
    assert states(_ALARM, {other: [[9.0]] * 5}, minutes=5) == ["INSUFFICIENT_DATA"] * 5


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("a / b", [None, 2.0, None, None]),
        ("100 * a / (a + b)", [100.0, 100 * 4 / 6, None, None]),
        ("FILL(b, 0) + 1", [1.0, 3.0, 1.0, 4.0]),
        ("IF(a > 3, a, 0)", [0.0, 4.0, 5.0, None]),
        ("MAX([a, b])", [1.0, 4.0, 5.0, 3.0]),
        ("SUM([a, b])", [1.0, 6.0, 5.0, 3.0]),
        ("-a", [-1.0, -4.0, -5.0, None]),
    ],
)
def test_metric_math(expression: str, wanted: Points) -> None:
    """A value is missing where one of those that it is made of is, unless it is filled or aggregated."""
    assert math(expression, {"a": [1.0, 4.0, 5.0, None], "b": [0.0, 2.0, None, 3.0]}) == wanted


def test_an_alarm_on_an_expression() -> None:
    """Its metrics have their own statistics; expressions may use each other."""
    metric = {"namespace": "n", "period": 60, "stat": "Sum", "dimensions": {"a": "1"}}
    queries = [
        {"id": "share", "expression": "100 * e", "return_data": True},
        {"id": "e", "expression": "errors / all"},
        {"id": "errors", "metric": [{**metric, "metric_name": "errors"}]},
        {"id": "all", "metric": [{**metric, "metric_name": "all"}]},
    ]
    sent = {
        Metric("n", "errors", _DIMENSIONS): [[1.0], [3.0, 3.0], [6.0]],
        Metric("n", "all", _DIMENSIONS): [[100.0], [100.0], [100.0]],
    }
    alarm = {**_ALARM, "metric_query": queries, "threshold": 5, "evaluation_periods": 2}
    assert states(alarm, sent, minutes=3) == ["OK", "OK", "ALARM"]


_DIMENSIONS: Final = frozenset({("a", "1")})
_SENT: Final = Metric("n", "m", _DIMENSIONS)
_ALARM: Final[Mapping[str, Any]] = {
    "namespace": "n",
    "metric_name": "m",
    "dimensions": {"a": "1"},
    "statistic": "Maximum",
    "comparison_operator": "GreaterThanThreshold",
    "threshold": 1,
    "period": 60,
    "evaluation_periods": 1,
}


# --- the alarms of the plan


@pytest.fixture(scope="module")
def alarms(plans: dict[str, Planned]) -> list[dict[str, Any]]:
    """The alarms of both environments. A dimension that only the apply knows gets some value."""
    found = [each["values"] for plan in plans.values() for each in plan.resources("aws_cloudwatch_metric_alarm")]
    for alarm in found:
        names = METRICS.get((alarm["namespace"], alarm["metric_name"]), ())
        given = alarm.get("dimensions") or {}
        alarm["dimensions"] = {**dict.fromkeys(names, "known after apply"), **given}
    return found


def test_every_alarm_fires_and_is_silent(alarms: list[dict[str, Any]], table: Table) -> None:
    """Each alarm fires in time, not before and not just below its bound, and ends by itself."""
    assert len(alarms) > 50
    faults = {alarm["alarm_name"]: faults_of(alarm, metric_of(alarm)) for alarm in alarms}
    assert {name: found for name, found in faults.items() if found} == {}
    for alarm in alarms:
        table.row(
            "alarm", alarm["alarm_name"], f"{alarm['metric_name']}, docs/deploy-aws.md: {alarm['tags']['runbook']}"
        )


def _never(alarm: dict[str, Any]) -> None:
    alarm["threshold"] = 10**12 if alarm["comparison_operator"].startswith("Greater") else -1


def _reversed(alarm: dict[str, Any]) -> None:
    greater = alarm["comparison_operator"].startswith("Greater")
    alarm["comparison_operator"] = f"{'Less' if greater else 'Greater'}ThanThreshold"


def _at_once(alarm: dict[str, Any]) -> None:
    alarm["evaluation_periods"] = 1


def _late(alarm: dict[str, Any]) -> None:
    alarm["evaluation_periods"] += 5


def _any_of_them(alarm: dict[str, Any]) -> None:
    alarm["datapoints_to_alarm"] = 1


def _silence_fires(alarm: dict[str, Any]) -> None:
    silence_is_bad = alarm["treat_missing_data"] == "breaching"
    alarm["treat_missing_data"] = "notBreaching" if silence_is_bad else "breaching"


def _another_dimension(alarm: dict[str, Any]) -> None:
    alarm["dimensions"] = {**alarm["dimensions"], "InstanceId": "i-1"}


@pytest.mark.parametrize(
    "change",
    [_never, _reversed, _at_once, _late, _any_of_them, _silence_fires, _another_dimension],
    ids=lambda change: change.__name__.strip("_"),
)
def test_a_wrong_alarm_is_found(alarms: list[dict[str, Any]], change: Callable[[dict[str, Any]], None]) -> None:
    """No alarm passes with another bound, direction, time, treatment of missing data, or dimension."""
    passed = []
    for alarm in alarms:
        if change in (_at_once, _any_of_them) and alarm["evaluation_periods"] == 1:
            continue  # one wrong minute is enough for it
        wrong = deepcopy(alarm)
        change(wrong)
        if not faults_of(wrong, metric_of(alarm)):
            passed.append(alarm["alarm_name"])
    assert passed == []


def metric_of(alarm: Mapping[str, Any]) -> Metric:
    return Metric(alarm["namespace"], alarm["metric_name"], frozenset(alarm["dimensions"].items()))


def faults_of(alarm: Mapping[str, Any], metric: Metric) -> list[str]:
    """The differences between the alarm's behaviour and its case, if samples of `metric` are sent."""
    case = case_of(alarm)
    if case is None:
        return ["it has no case"]
    if case.metric != metric.name:
        return [f"its metric is {metric.name}"]
    bad, good = [list(case.bad)], [list(case.good)]
    silence: list[list[float]] = [[]] * max(60, 2 * case.minutes)
    fault = good * _BEFORE + bad * case.minutes
    quiet = "OK" if not case.silence_is_bad else "ALARM"
    runs: list[tuple[str, Samples, Callable[[list[State]], bool]]] = [
        ("is silent when the time is over", fault, lambda found: found[-1] == "ALARM"),
        ("fires before the time is over", fault[:-1], lambda found: "ALARM" not in found),
        ("fires when all is just right", good * 60, lambda found: "ALARM" not in found),
        ("fires when a fault ends in time", (good + fault[_BEFORE:-1]) * 3, lambda found: "ALARM" not in found),
        ("does not end with the fault", fault + good * case.minutes, lambda found: found[-1] == "OK"),
        ("treats silence otherwise", good * _BEFORE + silence, lambda found: _counts_as(found[-1]) == quiet),
        ("treats silence after a fault otherwise", fault + silence, lambda found: _counts_as(found[-1]) == quiet),
    ]
    return [
        f"it {what}"
        for what, samples, expected in runs
        if not expected(states(alarm, {metric: samples}, minutes=len(samples)))
    ]


def _counts_as(state: State) -> State:
    """INSUFFICIENT_DATA notifies nobody, so it counts as OK."""
    return "OK" if state == "INSUFFICIENT_DATA" else state
