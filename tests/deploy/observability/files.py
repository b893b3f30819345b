"""The observability files as they are: rules, their tests, the dashboard and its queries."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml
from msgspec import Struct

from core.metrics import METRICS, PROCESS_METRICS
from tests.deploy.tools import ROOT

FOLDER: Final = ROOT / "deploy" / "observability"
RULES: Final = tuple(sorted((FOLDER / "rules").glob("*.yml")))
RULE_TESTS: Final = Path(__file__).parent / "rules"
DASHBOARD: Final = FOLDER / "grafana" / "dashboards" / "ticketstream.json"
RUNBOOKS: Final = ROOT / "docs" / "runbooks.md"

#: Of Prometheus itself: whether a target answered, and which alerts fire.
_OF_PROMETHEUS: Final = {"up", "ALERTS"}
_HISTOGRAM: Final = ("_bucket", "_sum", "_count")
_WORDS_OF_PROMQL: Final = frozenset(
    {"sum", "count", "max", "by", "rate", "increase", "changes", "absent", "histogram_quantile", "unless"}
)


class Panel(Struct, frozen=True):
    """A panel: what it shows, where on the page, and each query with its legend."""

    title: str
    kind: str
    unit: str
    x: int
    y: int
    width: int
    height: int
    stacked: bool
    queries: tuple[tuple[str, str], ...]


def alerts() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Each alerting rule, with the file it is in."""
    for file in RULES:
        for group in yaml.safe_load(file.read_text())["groups"]:
            for rule in group["rules"]:
                yield file, rule


def panels() -> Iterator[Panel]:
    """The dashboard's panels, from top to bottom."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        defaults, place = panel["fieldConfig"]["defaults"], panel["gridPos"]
        yield Panel(
            title=panel["title"],
            kind=panel["type"],
            unit=defaults["unit"],
            x=place["x"],
            y=place["y"],
            width=place["w"],
            height=place["h"],
            stacked="stacking" in defaults.get("custom", {}),
            queries=tuple((target["expr"], target["legendFormat"]) for target in panel["targets"]),
        )


def as_asked(query: str, *, interval: str) -> str:
    """`query` with Grafana's variables filled in: every role, rates over `interval`."""
    filled = query.replace("$__rate_interval", interval).replace("$job", ".+")
    assert "$" not in filled, f"{query}: a variable that the tests don't know"
    return filled


def metrics_of(query: str) -> set[str]:
    """Names of the series that `query` asks for."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", query)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", bare)
    bare = re.sub(r"\b(by|without|on)\s*\([^)]*\)", "", bare)
    return set(re.findall(r"[A-Za-z_:][A-Za-z0-9_:]*", bare)) - _WORDS_OF_PROMQL


def is_known(series: str) -> bool:
    """A worker shows it, or Prometheus makes it."""
    if series in _OF_PROMETHEUS or series in PROCESS_METRICS:
        return True
    if series in METRICS:
        return METRICS[series].kind != "histogram"
    return any(
        series.endswith(end)
        and METRICS.get(series.removesuffix(end)) is not None  # type: ignore[call-overload]
        and METRICS[series.removesuffix(end)].kind == "histogram"  # type: ignore[index]
        for end in _HISTOGRAM
    )
