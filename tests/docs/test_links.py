"""Every link between our own pages leads somewhere."""

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
    """Links of `page` to files or headings that aren't there."""
    found = []
    for path, anchor in _LINK.findall(page.read_text()):
        target = page if not path else (page.parent / path).resolve()
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            found.append(f"{path}#{anchor}" if anchor else path)
    return found


def _anchors(page: Path) -> set[str]:
    """Of the headings, as code hosts make them."""
    headings = (line.lstrip("#").strip() for line in page.read_text().splitlines() if line.startswith("#"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(_ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """A reader who follows one finds the page, and the heading."""
    assert broken(page) == []


def test_a_link_to_nowhere_is_told(tmp_path: Path) -> None:
    """The check above can fail."""
    page = tmp_path / "page.md"
    page.write_text("# One\n[a](nowhere.md) [b](#two) [c](#one) [d](page.md) [e](https://example.com)\n")
    assert broken(page) == ["nowhere.md", "#two"]
