"""The report of a run for a person: what was broken when, which promises held, and the figures."""

import io
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from statistics import quantiles
from typing import Final, Self

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from core.private import open_private

REPORT_FILE: Final = Path("build") / "faults" / "report.txt"
_WIDTH: Final = 118
#: Events shown from the beginning of a long list, and from its end.
_EVENTS: Final = 15


class Finding(Struct, frozen=True):
    """A figure, its bound, and whether it was kept."""

    what: str
    figure: str
    bound: str
    kept: bool


class _Parts(Struct, frozen=True):
    """A section without its clock and lock."""

    name: str
    about: str
    fault: str | None
    took_s: float | None
    findings: list[Finding]
    events: list[tuple[float, str]]


class Section:
    """The report of one attack. Thread-safe."""

    def __init__(self, name: str, about: str) -> None:
        self.name = name
        self.about = about
        self.fault: str | None = None
        self.took_s: float | None = None
        self.findings: list[Finding] = []
        self.events: list[tuple[float, str]] = []
        self._began = time.monotonic()
        self._lock = threading.Lock()

    @classmethod
    def unpacked(cls, packed: str) -> Self:
        """The section that `packed` was made of."""
        parts = msgspec.json.decode(packed, type=_Parts)
        section = cls(parts.name, parts.about)
        section.fault, section.took_s = parts.fault, parts.took_s
        section.findings, section.events = parts.findings, parts.events
        return section

    def packed(self) -> str:
        """The section as JSON, for another process."""
        parts = _Parts(self.name, self.about, self.fault, self.took_s, self.findings, self.events)
        return msgspec.json.encode(parts).decode()

    def note(self, what: str) -> None:
        """Note an event, with the time since the section began."""
        with self._lock:
            self.events.append((time.monotonic() - self._began, what))

    def found(self, what: str, figure: object, *, bound: object = "", kept: bool = True) -> None:
        """Add a figure."""
        shown = f"{figure:.2f}" if isinstance(figure, float) else str(figure)
        with self._lock:
            self.findings.append(Finding(what, shown, str(bound), kept))

    def ended(self, fault: str | None) -> None:
        """End the section. `fault` is the error, if any."""
        self.took_s = time.monotonic() - self._began
        self.fault = fault


class Report:
    """The sections of a run."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.sections: list[Section] = []

    def section(self, name: str, about: str) -> Section:
        """Begin a section."""
        section = Section(name, about)
        self.sections.append(section)
        return section

    def text(self) -> str:
        """The report as text."""
        console = Console(file=io.StringIO(), width=_WIDTH, record=True)
        broken = [section.name for section in self.sections if section.fault]
        counts = f"{len(self.sections)} attacks, {len(broken)} failed"
        console.print(counts, highlight=False)
        console.print(f"repeat with the same choices: make faults SEED={self.seed}\n", highlight=False)
        for section in self.sections:
            _print(console, section)
        return console.export_text()

    def write(self, path: Path = REPORT_FILE) -> None:
        """Write the report to a file of this user alone: errors may quote what workers said."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.parent.chmod(0o700)
        with open_private(path) as file:
            file.write(self.text().encode())


def _print(console: Console, section: Section) -> None:
    state = "BROKEN" if section.fault else "held"
    took = f" in {section.took_s:.1f} s" if section.took_s is not None else ""
    console.print(f"{section.name}: {state}{took}. {section.about}", highlight=False, markup=False)
    if section.fault:
        console.print(f"  {section.fault}", highlight=False, markup=False)
    if section.events:
        console.print("  " + "; ".join(_told(section.events)), markup=False)
    if section.findings:
        table = Table("figure", "value", "bound", "", box=None, padding=(0, 2, 0, 2))
        for finding in _gathered(section.findings):
            table.add_row(finding.what, finding.figure, finding.bound, "" if finding.kept else "exceeded")
        console.print(table)
    console.print()


def _told(events: Sequence[tuple[float, str]]) -> list[str]:
    """Events with their times; the middle of a long list is left out."""
    told = [f"{at:.1f} s {what}" for at, what in events]
    left_out = len(told) - 2 * _EVENTS
    return told if left_out <= 0 else [*told[:_EVENTS], f"and {left_out} more", *told[-_EVENTS:]]


def _gathered(findings: Sequence[Finding]) -> list[Finding]:
    """One finding for each figure: an attack in several worlds adds it several times."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.what, []).append(finding)
    return [_one(same) for same in found.values()]


def _one(same: Sequence[Finding]) -> Finding:
    if len(same) == 1:
        return same[0]
    first, kept = same[0], all(finding.kept for finding in same)
    figures = list(dict.fromkeys(finding.figure for finding in same))
    with suppress(ValueError):
        figures.sort(key=float)
    shown = figures[0] if len(figures) == 1 else f"{figures[0]} to {figures[-1]}"
    return Finding(first.what, f"{shown}, {len(same)} times", first.bound, kept)


def percentile(values: list[float], share: int) -> float:
    """The `share`-th percentile, and at most the largest value."""
    if len(values) < 2:
        return max(values, default=0.0)
    return min(max(values), quantiles(values, n=100, method="inclusive")[share - 1])
