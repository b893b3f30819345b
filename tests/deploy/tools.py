"""Programs that the tests of deployment files need: found, or the test is skipped with a word; required in CI."""

import os
import shutil
from pathlib import Path
from typing import Final, NoReturn

import pytest

ROOT: Final = Path(__file__).parents[2]


def tool(name: str, *, package: str) -> str:
    """Path of a program that Debian's `package` installs."""
    found = shutil.which(name)
    if found is None:
        missing(f"there is no {name}: apt-get install {package}")
    return found


def missing(why: str) -> NoReturn:
    """Skip, or fail in CI, whose script installs what its tests need."""
    if os.environ.get("CI"):
        pytest.fail(f"required in CI: {why}")
    pytest.skip(why)
