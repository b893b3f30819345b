"""CloudWatch's evaluation of an alarm, for alarms of a plan: dimensions, periods, M of N, missing data, metric math.

No emulator does this. The rules are those of the CloudWatch guide, "Alarm evaluation" and "Configuring how CloudWatch
alarms treat missing data"; the test has its tables. Metric math knows arithmetic, comparisons, IF, FILL, and MAX, MIN,
SUM and AVG of some series.
"""

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any, Final, Literal

from msgspec import Struct

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
#: Samples of a metric by minute; a minute without samples is missing.
Samples = Sequence[Sequence[float]]
#: A value for each period, the newest last; None where there is none.
Points = list[float | None]

#: How many more periods than the evaluation takes are looked at when some are missing; the guide's examples have two.
_EXTRA: Final = 2
_COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_STATISTICS: Final[dict[str, Callable[[Sequence[float]], float]]] = {
    "Average": fmean,
    "Maximum": max,
    "Minimum": min,
    "Sum": sum,
    "SampleCount": len,
}
_OPERATORS: Final[dict[type[ast.AST], Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda one, other: one / other,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}


class Metric(Struct, frozen=True):
    """A metric as it is sent: CloudWatch knows it by all three."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]


def states(alarm: Mapping[str, Any], sent: Mapping[Metric, Samples], *, minutes: int) -> list[State]:
    """The alarm's state after each period of the first `minutes`; a new alarm has no data.

    Args:
        alarm: values of an `aws_cloudwatch_metric_alarm`.
        sent: samples by metric.
        minutes: how long the alarm is watched.
    """
    points = _points(alarm, sent, minutes)
    n = alarm["evaluation_periods"]
    m = alarm.get("datapoints_to_alarm") or n
    beyond = _COMPARISONS[alarm["comparison_operator"]]
    breaches = [None if point is None else beyond(point, alarm["threshold"]) for point in points]
    treated = alarm.get("treat_missing_data") or "missing"
    state: State = "INSUFFICIENT_DATA"
    found = []
    for end in range(1, len(breaches) + 1):
        seen = breaches[max(0, end - n - _EXTRA) : end]
        state = evaluate([None] * (n + _EXTRA - len(seen)) + seen, m=m, n=n, missing=treated, state=state)
        found.append(state)
    return found


def evaluate(points: Sequence[bool | None], *, m: int, n: int, missing: str, state: State) -> State:
    """The state after an evaluation of the last `n` periods and some before them, of which `m` have to breach.

    Args:
        points: whether each period breaches, the newest last; None if it has no data.
        m: datapoints to alarm.
        n: evaluation periods.
        missing: `breaching`, `notBreaching`, `ignore` or `missing`.
        state: the state before.
    """
    real = [point for point in points if point is not None]
    if len(real) >= n:
        return "ALARM" if sum(real[-n:]) >= m else "OK"
    if missing in ("breaching", "notBreaching"):
        filled = (n - len(real)) * (missing == "breaching")
        return "ALARM" if sum(real) + filled >= m else "OK"
    if sum(real) >= m:
        return "ALARM"
    if False in real:
        return "OK"
    if not real:
        return state if missing == "ignore" else "INSUFFICIENT_DATA"
    # All that is there breaches. It is enough if the oldest lies far enough back that no newer one could change it.
    far_enough = any(point for point in points[-n : len(points) - m + 1])
    return "ALARM" if missing == "missing" and far_enough else state


def _points(alarm: Mapping[str, Any], sent: Mapping[Metric, Samples], minutes: int) -> Points:
    queries = alarm.get("metric_query") or []
    if not queries:
        statistic = alarm.get("statistic") or alarm["extended_statistic"]
        return _statistics(sent.get(_metric(alarm), []), statistic, alarm["period"], minutes)
    series: dict[str, Points] = {}
    for query in queries:
        for metric in query.get("metric") or []:
            samples = sent.get(_metric(metric), [])
            series[query["id"]] = _statistics(samples, metric["stat"], metric["period"], minutes)
    waiting = {query["id"]: query["expression"] for query in queries if query.get("expression")}
    while waiting:  # an expression may use others
        ready = [name for name, text in waiting.items() if not set(re.findall(r"[a-z]\w*", text)) & waiting.keys()]
        for name in ready:
            series[name] = math(waiting.pop(name), series)
    return next(series[query["id"]] for query in queries if query.get("return_data"))


def _metric(values: Mapping[str, Any]) -> Metric:
    dimensions = frozenset((values.get("dimensions") or {}).items())
    return Metric(values["namespace"], values["metric_name"], dimensions)


def _statistics(samples: Samples, statistic: str, period: int, minutes: int) -> Points:
    width = period // 60
    found: Points = []
    for begin in range(0, minutes - width + 1, width):
        values = [value for minute in samples[begin : begin + width] for value in minute]
        found.append(_statistic(statistic)(values) if values else None)
    return found


def _statistic(name: str) -> Callable[[Sequence[float]], float]:
    if name in _STATISTICS:
        return _STATISTICS[name]
    share = float(name.removeprefix("p")) / 100
    return lambda values: sorted(values)[min(len(values) - 1, int(share * len(values)))]


# --- metric math


def math(expression: str, series: Mapping[str, Points]) -> Points:
    """The series of an expression. Where one of its series has no value, it has none; nor does x / 0."""
    found = _term(ast.parse(expression, mode="eval").body, series)
    length = len(next(iter(series.values())))
    return found if isinstance(found, list) else [found] * length


def _term(node: ast.AST, series: Mapping[str, Points]) -> Points | float:
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.Name(id=name):
            return series[name]
        case ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right]):
            return _pointwise(_OPERATORS[type(op)], _term(left, series), _term(right, series))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _pointwise(operator.sub, 0.0, _term(operand, series))
        case ast.Call(func=ast.Name(id=name), args=[ast.List(elts=parts)]) if name in _AGGREGATES:
            return _rows([_term(part, series) for part in parts], _AGGREGATES[name])
        case ast.Call(func=ast.Name(id=name), args=parts) if name in _FUNCTIONS:
            return _rows([_term(part, series) for part in parts], _FUNCTIONS[name])
    raise ValueError(f"metric math: {ast.unparse(node)} is not known")


def _rows(parts: Sequence[Points | float], combine: Callable[..., float | None]) -> Points:
    """The value of `combine` for the values of each period."""
    return [combine(*row) for row in zip(*map(_listed(parts), parts), strict=True)]


def _of_those_there(combine: Callable[[Sequence[float]], float]) -> Callable[..., float | None]:
    def combined(*row: float | None) -> float | None:
        there = [value for value in row if value is not None]
        return float(combine(there)) if there else None

    return combined


def _fill(value: float | None, other: float | None) -> float | None:
    return other if value is None else value


def _if(condition: float | None, first: float | None, second: float | None) -> float | None:
    if condition is None:
        return None
    return first if condition else second


_AGGREGATES: Final = {
    name: _of_those_there(combine) for name, combine in (("MAX", max), ("MIN", min), ("SUM", sum), ("AVG", fmean))
}
_FUNCTIONS: Final[dict[str, Callable[..., float | None]]] = {"FILL": _fill, "IF": _if}


def _listed(parts: Sequence[Points | float]) -> Callable[[Points | float], Points]:
    length = next((len(part) for part in parts if isinstance(part, list)), 1)
    return lambda part: part if isinstance(part, list) else [part] * length


def _pointwise(op: Callable[[float, float], float], one: Points | float, other: Points | float) -> Points | float:
    if not isinstance(one, list) and not isinstance(other, list):
        return float(op(one, other))
    as_list = _listed([one, other])
    return [_combined(op, left, right) for left, right in zip(as_list(one), as_list(other), strict=True)]


def _combined(op: Callable[[float, float], float], one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return None
    try:
        return float(op(one, other))
    except ZeroDivisionError:
        return None
