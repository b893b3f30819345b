"""Reads the compose file as `docker compose` does, with variables, merge keys and profiles."""

import itertools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from tests.deploy.tools import ROOT

FILE: Final = ROOT / "deploy" / "compose.yaml"

SECURED: Final = FILE.with_name("compose.secured.yaml")

#: `${NAME:-default}`, and in the secured file `${NAME:?message}` for required variables.
_VARIABLE: Final = re.compile(r"\$\{(?P<name>\w+):(?P<kind>[-?])(?P<default>[^}]*)\}")

Service = dict[str, Any]


def read(environment: Mapping[str, str] | None = None, *, file: Path = FILE) -> dict[str, Any]:
    """The project with the values of `environment`, or the defaults.

    Raises:
        KeyError: a variable that must be given is missing.
    """
    given = environment or {}

    def value(found: re.Match[str]) -> str:
        if found["kind"] == "?":
            return given[found["name"]]
        return given.get(found["name"]) or found["default"]

    text = _VARIABLE.sub(value, file.read_text())
    assert "$" not in text, "a variable without a default"
    project: dict[str, Any] = yaml.safe_load(text)
    return project


def opening() -> str:
    """The comment at the beginning of the file, as one line."""
    lines = itertools.takewhile(lambda line: line.startswith("#"), FILE.read_text().splitlines())
    return " ".join(line.strip("# ") for line in lines)


def services(*profiles: str) -> dict[str, Service]:
    """The services that `--profile` of each of `profiles` starts."""
    return {
        name: service
        for name, service in read()["services"].items()
        if not service.get("profiles") or set(service["profiles"]) & set(profiles)
    }


def workers() -> dict[str, Service]:
    """The services that run a role, by its name."""
    return {
        name: service
        for name, service in read()["services"].items()
        if str((service.get("command") or [""])[0]).startswith("dataflows.")
    }


def apps() -> dict[str, Service]:
    """The HTTP services, by name."""
    return {name: service for name, service in ours().items() if service.get("profiles") == ["services"]}


def background() -> dict[str, Service]:
    """The archiver and the producer, by name, each of which has a profile of its own."""
    return {name: service for name, service in ours().items() if service.get("profiles") == [name]}


def ours() -> dict[str, Service]:
    """The services that run our image."""
    return {name: service for name, service in read()["services"].items() if "build" in service}


def read_secured(environment: Mapping[str, str]) -> dict[str, Any]:
    """The project with the secured file on top of it."""
    merged: dict[str, Any] = _merged(read(environment), read(environment, file=SECURED))
    return merged


def _merged(base: Any, over: Any, name: str = "") -> Any:
    """`base` with `over` merged as compose does: maps by key, volumes and ports appended."""
    if isinstance(base, dict) and isinstance(over, dict):
        return {**base, **{key: _merged(base.get(key), value, key) for key, value in over.items()}}
    if isinstance(base, list) and name in {"volumes", "ports"}:
        return [*base, *over]
    return over
