"""The Makefile, its help and the pre-commit hooks agree."""

import re
import subprocess
from typing import Final

import yaml

from tests.deploy.tools import ROOT
from tests.rigs.waiting import PATIENCE_S

_MAKEFILE: Final = (ROOT / "Makefile").read_text()


def test_the_pre_commit_hooks_run_the_checks_of_make_check() -> None:
    """Each prerequisite of `make check` is a hook, and there is no other hook."""
    found = re.search(r"^check: ([a-z ]+) ##", _MAKEFILE, re.MULTILINE)
    assert found
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [hook["entry"] for hook in local["hooks"]] == [f"make {target}" for target in found[1].split()]
    assert not any(hook["pass_filenames"] for hook in local["hooks"])


def test_make_alone_prints_every_target() -> None:
    """`make` without a target lists each target of .PHONY with its help."""
    shown = subprocess.run(
        ["make", "-C", str(ROOT)], capture_output=True, text=True, timeout=PATIENCE_S, check=True
    ).stdout
    phony = re.search(r"^\.PHONY: (.+)$", _MAKEFILE, re.MULTILINE)
    assert phony
    listed = re.findall(r"\x1b\[1m([a-z0-9-]+) *\x1b\[0m (\S.+)", shown)
    assert {name for name, _ in listed} == set(phony[1].split())
    assert all(text[0].isupper() for _, text in listed)
