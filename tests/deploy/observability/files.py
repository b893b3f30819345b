"""Reads the shipped observability files: rules, their tests, and the dashboards."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml
from msgspec import Struct

from tests.deploy.tools import ROOT

FOLDER: Final = ROOT / "deploy" / "observability"
RULES: Final = tuple(sorted((FOLDER / "rules").glob("*.yml")))
RULE_TESTS: Final = Path(__file__).parent / "rules"
_DASHBOARDS: Final = FOLDER / "grafana" / "dashboards"
STREAM: Final = _DASHBOARDS / "ticketstream.json"
SERVICES: Final = _DASHBOARDS / "services.json"
DASHBOARDS: Final = (STREAM, SERVICES)
RUNBOOKS: Final = ROOT / "docs" / "runbooks.md"


class Panel(Struct, frozen=True):
    """A panel: its place on the page, each query with its legend, and the texts shown in place of some values."""

    title: str
    kind: str
    unit: str
    x: int
    y: int
    width: int
    height: int
    stacked: bool
    queries: tuple[tuple[str, str], ...]
    texts: dict[str, str]


def alerts() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Each alerting rule, with its file."""
    for file in RULES:
        for group in yaml.safe_load(file.read_text())["groups"]:
            for rule in group["rules"]:
                yield file, rule


def panels(dashboard: Path) -> Iterator[Panel]:
    """A dashboard's panels, from top to bottom."""
    for panel in json.loads(dashboard.read_text())["panels"]:
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
            texts={
                value: shown["text"]
                for mapping in defaults.get("mappings", [])
                for value, shown in mapping["options"].items()
            },
        )


def as_asked(query: str, *, interval: str) -> str:
    """`query` with Grafana's variables replaced by all roles and by `interval`."""
    filled = query.replace("$__rate_interval", interval).replace("$job", ".+")
    assert "$" not in filled, f"{query}: a variable that the tests don't replace"
    return filled
