"""Runs checkov on plans and templates, and reads the suppressions in resources."""

import copy
import json
import re
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from tests.deploy.terraform.tool import resources

CHECKOV: Final = Path(__file__).parents[3] / ".checkov" / "bin" / "checkov"
_SUPPRESSION: Final = re.compile(r"#checkov:skip=(CKV2?_[A-Z]+_\d+):(\S.*)")
_RESOURCE: Final = re.compile(r'^resource "(\w+)" "(\w+)" \{')
_INDEX: Final = re.compile(r'\[(?:"[^"]*"|\d+)\]')
_PATIENCE_S: Final = 240


class Finding(Struct, frozen=True, order=True):
    """A failed rule and its resource, by type and name."""

    rule: str
    resource: str
    says: str = ""


class Scan(Struct, frozen=True):
    """The number of passed checks, and the failed ones."""

    passed: int
    failed: list[Finding]


def called_modules(configuration: dict[str, Any]) -> set[str]:
    """The folders' names of the modules that a module of a plan's configuration calls, and of those that they call."""
    found: set[str] = set()
    for call in configuration.get("module_calls", {}).values():
        found |= {Path(call["source"]).name} | called_modules(call["module"])
    return found


def suppressions(folders: Iterable[Path]) -> dict[tuple[str, str], str]:
    """The reason of each suppression in the folders' files, by rule and resource (TYPE.NAME)."""
    found: dict[tuple[str, str], str] = {}
    for path in sorted(path for folder in folders for path in folder.glob("*.tf")):
        resource = ""
        for line in path.read_text().splitlines():
            if (opened := _RESOURCE.match(line)) is not None:
                resource = f"{opened[1]}.{opened[2]}"
            elif (suppression := _SUPPRESSION.search(line)) is not None:
                found[suppression[1], resource] = suppression[2]
    return found


def scan_plan(plan: dict[str, Any], folder: Path) -> Scan:
    """Scan a plan; `folder` is for its file."""
    path = folder / "plan.json"
    path.write_text(json.dumps(with_placeholders(plan)))
    return _scan(["--file", str(path), "--framework", "terraform_plan"])


def with_placeholders(plan: dict[str, Any]) -> dict[str, Any]:
    """The plan with a placeholder for each value that the files set and only the apply knows, such as a key's ARN.

    Without it checkov would take the value as not set.
    """
    filled = copy.deepcopy(plan)
    given = _given(plan["configuration"]["root_module"])
    unknown = {each["address"]: each["change"].get("after_unknown", {}) for each in filled["resource_changes"]}
    for each in filled["resource_changes"]:
        _fill(each["change"]["after"], unknown[each["address"]], given.get(_INDEX.sub("", each["address"]), {}))
    for each in resources(filled["planned_values"]["root_module"]):
        address = each["address"]
        _fill(each.setdefault("values", {}), unknown[address], given.get(_INDEX.sub("", address), {}))
    return filled


def _fill(values: dict[str, Any], unknown: dict[str, Any], given: dict[str, Any]) -> None:
    """Put placeholders into the values of a resource, and into its blocks."""
    for name, what in unknown.items():
        if name not in given:
            continue
        if what is True:
            values[name] = f"{name}: known after the apply"
        elif isinstance(what, list) and isinstance(given[name], list):
            for block, part, written in zip(values.get(name) or [], what, given[name], strict=False):
                if isinstance(block, dict) and isinstance(part, dict):
                    _fill(block, part, written)


def _given(module: dict[str, Any], prefix: str = "") -> dict[str, dict[str, Any]]:
    """The arguments that the files set, by address without indices."""
    found = {prefix + each["address"]: each.get("expressions", {}) for each in module.get("resources", [])}
    for name, call in module.get("module_calls", {}).items():
        found |= _given(call["module"], f"{prefix}module.{name}.")
    return found


def scan_templates(folder: Path) -> Scan:
    """Scan all files of a folder for secrets in plain text."""
    return _scan(["--directory", str(folder), "--framework", "secrets"])


def _scan(what: Sequence[str]) -> Scan:
    done = subprocess.run(
        [str(CHECKOV), *what, "--output", "json", "--compact", "--quiet", "--soft-fail", "--skip-download"],
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    assert done.stdout.lstrip().startswith(("{", "[")), done.stderr[-2000:]
    parsed = json.loads(done.stdout)
    reports: list[dict[str, Any]] = parsed if isinstance(parsed, list) else [parsed]
    failed = {
        Finding(each["check_id"], _plain(each["resource"]), each["check_name"])
        for report in reports
        for each in report.get("results", {}).get("failed_checks", [])
    }
    passed = sum(report.get("summary", report).get("passed", 0) for report in reports)
    return Scan(passed, sorted(failed))


def _plain(address: str) -> str:
    """module.a.module.b["x"].aws_s3_bucket.this[0] -> aws_s3_bucket.this."""
    return ".".join(_INDEX.sub("", address).split(".")[-2:])
