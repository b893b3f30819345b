"""Documents and deploy files name settings that exist."""

import re
from pathlib import Path
from typing import Final

import pytest

from core.environment import REMOVED, RENAMED, variables
from tests.deploy.tools import ROOT
from tests.docs.tables import RENAMED_SECTION

_SETTING: Final = re.compile(r"\bTICKETS_[A-Z]+(?:_[A-Z]+)*__[A-Z0-9_]+[A-Z0-9]\b")
#: Words of a setting's name without its prefix, such as REJECTED_WINDOW.
_OLD: Final = {old.rpartition("__")[2] for old in (*RENAMED, *REMOVED)} - {"CONCURRENCY", "FILE"}
_BEGINNINGS: Final = ("TICKETS_WRITER__MAX_INFLIGHT",)
#: A setting of an example app.
_EXAMPLES: Final = ("TICKETS_MY_APP__PORT",)
_FILES: Final = sorted(
    path
    for pattern in ("*.md", "Makefile", ".ci/*", "docs/*.md", "deploy/**/*")
    for path in ROOT.glob(pattern)
    if path.is_file() and path.suffix not in (".pyc", ".tfstate") and path.name != "CHANGELOG.md"
    if ".terraform" not in path.parts
)


def unknown_settings(text: str) -> list[str]:
    """Settings that `text` names and core.settings doesn't have."""
    current = RENAMED_SECTION.sub("", text)
    old = [word for word in _OLD if re.search(rf"\b{word}\b", current)]
    named = _SETTING.findall(current)
    return old + [name for name in named if name not in variables() and name not in (*_BEGINNINGS, *_EXAMPLES)]


@pytest.mark.parametrize("path", _FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_names_settings_that_exist(path: Path) -> None:
    """No document or deploy file names an unknown setting, or an old one outside 'Renamed in ...'."""
    assert unknown_settings(path.read_text()) == []


@pytest.mark.parametrize("name", [*RENAMED, *REMOVED, "TICKETS_WRITER__MADE_UP", "REJECTED_WINDOW"])
def test_an_old_or_made_up_name_is_found(name: str) -> None:
    """An old or a made-up setting is found in a text, and allowed in the section that lists renamed ones."""
    assert unknown_settings(f"Set `{name}`.")
    assert unknown_settings(f"# Page\n## Renamed in 1.0\n| `{name}` |\n") == []


def test_the_check_reads_what_it_should() -> None:
    """The documents and all ways of deployment are among the files."""
    names = {str(path.relative_to(ROOT)) for path in _FILES}
    assert {"README.md", "docs/operations.md", "deploy/compose.yaml", "deploy/sizes.yaml"} <= names
    assert any(name.endswith(".tf") for name in names)
    assert any(name.endswith("settings.env") for name in names)
