"""Looks the locked packages up in the package index's list of known vulnerabilities: `make audit`.

pip-audit reports "no known vulnerabilities" if the service knows none of the packages, as behind a mirror without the
list. So this reads its JSON: packages that were not looked up are reported, as neither a fault nor a success.
"""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

_TOOL: Final = Path(".audit/bin/pip-audit")
_LOCKS: Final = Path("requirements")
_TIMEOUT_S: Final = 900


class Vulnerability(Struct):
    """A known vulnerability, and the versions that don't have it."""

    id: str
    fix_versions: list[str] = []


class Dependency(Struct):
    """A locked package. `skip_reason` says why it was not looked up."""

    name: str
    version: str = ""
    vulns: list[Vulnerability] = []
    skip_reason: str | None = None


class Report(Struct):
    """pip-audit's JSON."""

    dependencies: list[Dependency]


#: Runs pip-audit on a lock, and returns its standard output.
RunTool = Callable[[Path], str]


def run_tool(lock: Path) -> str:
    """The JSON that pip-audit prints; empty if the service doesn't answer."""
    command = [str(_TOOL), "--requirement", str(lock), "--require-hashes", "--disable-pip", "--format", "json"]
    command += ["--vulnerability-service", "pypi", "--progress-spinner", "off", "--timeout", "15"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False).stdout
    except subprocess.TimeoutExpired:
        return ""


def audit(locks: Sequence[Path], run: RunTool) -> int:
    """Print the findings of all locks. 1 if a package has a known vulnerability, otherwise 0."""
    found: dict[tuple[str, str, str], Vulnerability] = {}
    looked_up: set[str] = set()
    skipped: set[str] = set()
    for lock in locks:
        try:
            report = msgspec.json.decode(run(lock), type=Report)
        except msgspec.DecodeError:
            print(f"{lock.name}: not audited, as the service for vulnerabilities doesn't answer")
            continue
        for dependency in report.dependencies:
            (looked_up if dependency.skip_reason is None else skipped).add(dependency.name)
            found |= {(dependency.name, dependency.version, one.id): one for one in dependency.vulns}
    for (name, version, identifier), one in sorted(found.items()):
        print(f"{name} {version}: {identifier}; fixed in {', '.join(one.fix_versions) or 'no version yet'}")
    if skipped:
        print(f"{len(skipped)} packages were not audited: the package index has no list of vulnerabilities for them")
    print(f"{len(looked_up)} packages audited, {len(found)} known vulnerabilities")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(audit([file for file in sorted(_LOCKS.glob("*.txt")) if "--hash=" in file.read_text()], run_tool))
