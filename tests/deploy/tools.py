"""Finds the programs that the deploy tests need. A missing one skips the test, and fails it in CI."""

import os
import shutil
from pathlib import Path
from typing import Final, NoReturn

import pytest

ROOT: Final = Path(__file__).parents[2]


def tool(name: str, *, package: str) -> str:
    """Path of a program, which Debian's `package` installs."""
    found = shutil.which(name)
    if found is None:
        missing(f"{name} is not installed: apt-get install {package}")
    return found


def missing(why: str) -> NoReturn:
    """Skip the test, or fail it in CI, whose script installs the tools."""
    if os.environ.get("CI"):
        pytest.fail(f"required in CI: {why}")
    pytest.skip(why)
