"""Rows to medians with their spread, and to a table."""

import statistics
from collections.abc import Callable, Sequence

from msgspec import Struct
from rich.console import Console
from rich.table import Table

from bench.job import Measured
from bench.runner import Row, Suite

HEADINGS = ("contender", "{unit}/s", "min to max", "tokens/s", "CPU s per 1,000", "peak RSS", "÷ {reference}")


class Summary(Struct, frozen=True):
    """A contender's medians over the rounds.

    Attributes:
        ratio: its speed over the reference's: the median over the rounds, each a ratio of neighbours in time.
        cpu_s: CPU seconds per 1,000 of the unit.
    """

    contender: str
    per_second: float = 0.0
    least: float = 0.0
    greatest: float = 0.0
    tokens_per_second: float = 0.0
    cpu_s: float = 0.0
    rss_mib: int = 0
    ratio: float = 0.0
    skipped: str = ""


def summarise(suite: Suite, rows: Sequence[Row]) -> list[Summary]:
    """In the suite's order."""
    speeds = {(row.contender, row.round): _speed(suite, row.measured) for row in rows if row.measured is not None}
    found = []
    for name in suite.everyone:
        own = [row for row in rows if row.contender == name]
        measured = [row.measured for row in own if row.measured is not None]
        if not measured:
            found.append(Summary(name, skipped=own[0].skipped if own else "not run"))
            continue
        ratios = [
            speed / speeds[suite.reference, number]
            for (contender, number), speed in speeds.items()
            if contender == name and (suite.reference, number) in speeds
        ]
        own_speeds = [_speed(suite, m) for m in measured]
        found.append(
            Summary(
                name,
                statistics.median(own_speeds),
                min(own_speeds),
                max(own_speeds),
                _median(measured, lambda m: m.tokens / m.seconds),
                _median(measured, lambda m: m.cpu_seconds / _count(suite, m) * 1_000),
                max(m.rss_mib for m in measured),
                statistics.median(ratios) if ratios else 0.0,
            )
        )
    return found


def cells(summary: Summary) -> list[str]:
    """A row of the table, as text."""
    if summary.skipped:
        return [summary.contender, "skipped", summary.skipped, "", "", "", ""]
    return [
        summary.contender,
        f"{summary.per_second:,.0f}",
        f"{summary.least:,.0f} to {summary.greatest:,.0f}",
        f"{summary.tokens_per_second:,.0f}" if summary.tokens_per_second else "",
        f"{summary.cpu_s:.3g}",
        f"{summary.rss_mib:,} MiB",
        f"{summary.ratio:.3f}" if summary.ratio < 1 else f"{summary.ratio:.2f}",
    ]


def headings(suite: Suite) -> list[str]:
    """Of the columns."""
    return [heading.format(unit=suite.unit, reference=suite.reference) for heading in HEADINGS]


def print_table(suite: Suite, summaries: Sequence[Summary]) -> None:
    """For a person at a terminal."""
    table = Table(title=f"{suite.name}: {suite.question}", title_justify="left")
    for number, heading in enumerate(headings(suite)):
        table.add_column(heading, justify="right" if number else "left")
    for summary in summaries:
        table.add_row(*cells(summary))
    Console(width=140).print(table)


def _speed(suite: Suite, measured: Measured) -> float:
    return _count(suite, measured) / measured.seconds


def _count(suite: Suite, measured: Measured) -> int:
    return measured.texts if suite.unit == "texts" else measured.tickets


def _median(measured: Sequence[Measured], of: Callable[[Measured], float]) -> float:
    return statistics.median(of(m) for m in measured)
