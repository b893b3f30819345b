"""Every link between our pages has a target."""

import re
from pathlib import Path
from typing import Final

import pytest

_ROOT: Final = Path(__file__).parents[2]
_LINK: Final = re.compile(r"\]\((?!https?://)([^)#\s]*)(?:#([^)\s]+))?\)")
_PAGES: Final = sorted(
    [*_ROOT.glob("*.md"), *_ROOT.glob("docs/*.md"), *_ROOT.glob("deploy/**/*.md"), *_ROOT.glob("bench/**/*.md")]
)


def broken(page: Path) -> list[str]:
    """Links of `page` to missing files or headings."""
    found = []
    for path, anchor in _LINK.findall(page.read_text()):
        target = page if not path else (page.parent / path).resolve()
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            found.append(f"{path}#{anchor}" if anchor else path)
    return found


def _anchors(page: Path) -> set[str]:
    """Anchors of the headings, as code hosts make them."""
    headings = (line.lstrip("#").strip() for line in page.read_text().splitlines() if line.startswith("#"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(_ROOT)))
def test_every_link_has_a_target(page: Path) -> None:
    """The file and the heading of every link exist."""
    assert broken(page) == []


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    """A link to a missing page or heading is found."""
    page = tmp_path / "page.md"
    page.write_text("# One\n[a](nowhere.md) [b](#two) [c](#one) [d](page.md) [e](https://example.com)\n")
    assert broken(page) == ["nowhere.md", "#two"]
