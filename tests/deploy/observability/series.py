"""Checks the metric names and labels of rules, the dashboard, alarms and documents against core.metrics."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final, get_args

import yaml
from msgspec import Struct

from core.language_model import ModelErrorKind
from core.metrics import METRICS, PROCESS_METRICS, MetricName
from core.records import Stage
from core.settings import Settings
from core.topic_settings import TopicSettings
from models.run.hashing import HashingEmbedder
from runtime.cache import CACHE
from runtime.feedback import FEEDBACK
from services.http.sessions import SESSIONS
from stream.plan import RECEIVE_ENRICHED, receiving_steps, ticket_steps
from stream.sinks import CUSTOMERS, DEAD_LETTERS, EMBEDDED, ENRICHED, INDEX, MODEL
from tests.deploy.tools import ROOT

#: Series that Prometheus makes itself, with their labels.
_OF_PROMETHEUS: Final[Mapping[str, frozenset[str]]] = {
    "up": frozenset(),
    "ALERTS": frozenset({"alertname", "alertstate", "severity"}),
}
#: Jobs of the services.
_SERVICES: Final = ("archive", "producer", "rag", "tickets")
#: Labels that Prometheus adds to every series it scrapes.
_TARGET: Final = frozenset({"job", "instance"})
_HISTOGRAM: Final = ("_bucket", "_sum", "_count")
_FUNCTIONS: Final = frozenset(
    {
        "sum",
        "count",
        "max",
        "max_over_time",
        "rate",
        "increase",
        "changes",
        "absent",
        "histogram_quantile",
        "unless",
        "and",
        "or",
    }
)
_STRING: Final = r'"(?:[^"\\]|\\.)*"'
_GROUPING: Final = re.compile(r"\b(?:by|without|on)\s*\(([^)]*)\)")
_SELECTOR: Final = re.compile(rf"([A-Za-z_:][\w:]*)(?:\{{((?:{_STRING}|[^}}])*)\}})?")
_MATCHER: Final = re.compile(rf"(\w+)\s*(?:=~|!=|!~|=)\s*({_STRING})")


class Selector(Struct, frozen=True):
    """A series that a query selects, with the values that it asks of its labels."""

    series: str
    labels: Mapping[str, str]


def selectors(query: str) -> Iterator[Selector]:
    """Every selector of a PromQL query."""
    bare = re.sub(r"\[[^\]]*\]", "", _GROUPING.sub("", query))
    for name, matchers in _SELECTOR.findall(bare):
        if name not in _FUNCTIONS:
            yield Selector(name, {label: value[1:-1] for label, value in _MATCHER.findall(matchers)})


def faults(query: str, *words: str) -> list[str]:
    """Names and labels in a query, or in `words` (legend or annotations), that core.metrics doesn't declare."""
    found: list[str] = []
    known: set[str] = set()
    for selector in selectors(query):
        own = labels_of(selector.series)
        if own is None:
            found.append(f"{selector.series} is not a series of a worker")
            continue
        known |= own
        for label, text in selector.labels.items():
            if label not in own:
                found.append(f"{selector.series} has no label {label}")
            allowed = values_of(selector.series, label)
            if allowed is not None:
                found += [f"{label} is never {value}" for value in text.split("|") if _plain(value) - allowed]
    grouped = {label for names in _GROUPING.findall(query) for label in re.findall(r"\w+", names)}
    shown = {label for text in words for label in re.findall(r"{{\s*(?:\$labels\.)?(\w+)", text)}
    return found + [f"no series of the query has the label {label}" for label in sorted((grouped | shown) - known)]


def labels_of(series: str) -> frozenset[str] | None:
    """The labels of a series; None for one that neither a worker nor Prometheus has."""
    if series in PROCESS_METRICS:
        return _TARGET
    if series in _OF_PROMETHEUS:
        return _OF_PROMETHEUS[series] | _TARGET
    for name, metric in METRICS.items():
        own = frozenset(metric.labels) | _TARGET
        if metric.kind != "histogram" and series == name:
            return own
        if metric.kind == "histogram" and series in {name + end for end in _HISTOGRAM}:
            return own | {"le"} if series.endswith("_bucket") else own
    return None


def values_of(series: str, label: str) -> frozenset[str] | None:
    """The values that a label of a series can have; None where they aren't a closed set."""
    return _values().get((series, label), _values().get(("", label)))


def documented(name: str) -> str:
    """A series of the metric that a document calls `name`: documents leave out the endings of a histogram's series."""
    kinds = {metric: declared.kind for metric, declared in METRICS.items()}
    return f"{name}_count" if (name, "histogram") in kinds.items() else name


def _plain(value: str) -> set[str]:
    """`value` as a set of one, or an empty set for a pattern or a variable."""
    return {value} if re.fullmatch(r"\w+", value) else set()


@cache
def _values() -> dict[tuple[MetricName | str, str], frozenset[str]]:
    """Values by series and label; an empty series stands for all series."""
    sinks = (INDEX, ENRICHED, EMBEDDED)
    roles = yaml.safe_load((ROOT / "deploy" / "sizes.yaml").read_text())["roles"]
    steps = [*ticket_steps(Settings(), HashingEmbedder()), RECEIVE_ENRICHED, *receiving_steps("")]
    return {
        ("", "job"): frozenset({*roles, "qdrant", *_SERVICES}),
        ("", "stage"): frozenset(get_args(Stage)),
        ("", "step"): frozenset({"poll", "enrich", *(step.name for step in steps), *(sink.step for sink in sinks)}),
        ("", "dependency"): frozenset(
            {DEAD_LETTERS, CUSTOMERS, MODEL, CACHE, FEEDBACK, SESSIONS, *(sink.name for sink in sinks)}
        ),
        ("", "topic"): frozenset(TopicSettings().model_dump().values()),
        ("", "since"): frozenset({"broker", "event"}),
        ("", "event"): frozenset({"assign", "revoke", "lost"}),
        ("tickets_acked_total", "outcome"): frozenset({"dead_letter", *(sink.outcome for sink in sinks)}),
        ("tickets_model_texts_total", "outcome"): frozenset({"embedded", "cached"}),
        ("tickets_language_model_calls_total", "outcome"): frozenset(
            {"answered", "filtered", "stopped", *get_args(ModelErrorKind)}
        ),
        ("tickets_language_model_tokens_total", "direction"): frozenset({"input", "output"}),
    }
