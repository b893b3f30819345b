"""Reads the compose file as `docker compose` does, with variables, merge keys and profiles."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from tests.deploy.tools import ROOT

FILE: Final = ROOT / "deploy" / "compose.yaml"

#: `${NAME:-default}`, the only form in the file, so no variable is required.
_VARIABLE: Final = re.compile(r"\$\{(?P<name>\w+):-(?P<default>[^}]*)\}")

Service = dict[str, Any]


def read(environment: Mapping[str, str] | None = None, *, file: Path = FILE) -> dict[str, Any]:
    """The project with the values of `environment`, or the defaults."""
    given = environment or {}
    text = _VARIABLE.sub(lambda found: given.get(found["name"]) or found["default"], file.read_text())
    assert "$" not in text, "a variable without a default"
    project: dict[str, Any] = yaml.safe_load(text)
    return project


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


def ours() -> dict[str, Service]:
    """The services that run our image."""
    return {name: service for name, service in read()["services"].items() if "build" in service}
