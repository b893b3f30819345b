"""The audit of the locks fails for known vulnerabilities only, and reports packages that it couldn't look up."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.rigs.audit import audit

_LOCKS = [Path("run.txt"), Path("dev.txt")]
_SOUND = {"name": "sound", "version": "1.0", "vulns": []}
_VULNERABLE = {"name": "old", "version": "0.9", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.0"]}]}
_UNKNOWN = {"name": "unknown", "skip_reason": "Dependency not found on PyPI"}


def _report(*dependencies: dict[str, Any]) -> str:
    return json.dumps({"dependencies": dependencies, "fixes": []})


@pytest.mark.parametrize(
    ("outputs", "code", "words"),
    [
        ((_report(_SOUND), _report(_SOUND)), 0, ["1 packages audited, 0 known"]),
        ((_report(_SOUND, _VULNERABLE), _report(_VULNERABLE)), 1, ["old 0.9: PYSEC-1; fixed in 1.0", "1 known"]),
        ((_report(_UNKNOWN), _report(_UNKNOWN)), 0, ["1 packages were not audited", "0 packages audited"]),
        (("", "Traceback"), 0, ["run.txt: not audited", "dev.txt: not audited", "0 packages audited"]),
        (("", _report(_VULNERABLE)), 1, ["run.txt: not audited", "1 known"]),
    ],
    ids=["sound", "vulnerable", "unknown", "no-service", "half-a-service"],
)
def test_the_audit_says_what_it_knows(
    outputs: tuple[str, str], code: int, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 1 for a known vulnerability, and packages that were not looked up are reported."""
    by_lock = dict(zip(_LOCKS, outputs, strict=True))
    assert audit(_LOCKS, by_lock.__getitem__) == code
    printed = capsys.readouterr().out
    assert all(word in printed for word in words), printed


def test_ci_audits_the_locks() -> None:
    """Continuous integration calls the audit."""
    assert re.search(r"^make .*\baudit\b", Path(".ci/run").read_text(), re.MULTILINE)
