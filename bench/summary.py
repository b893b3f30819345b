"""Summarises rows as medians with their spread, and as a table."""

import statistics
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct
from rich.console import Console
from rich.table import Table

from bench.job import Measured
from bench.suite import Figure, Row, Suite

_SPEED: tuple[str, ...] = ("{unit}/s", "min to max", "tokens/s", "CPU s per 1,000", "peak RSS", "÷ {reference}")


class Summary(Struct, frozen=True):
    """A contender's medians over the rounds.

    Attributes:
        ratio: its speed divided by the reference's of the same round; the median over the rounds.
        tokens_ratio: likewise for tokens per second; 0 if either counts no tokens.
        cpu_s: CPU seconds per 1,000 tickets or texts.
        figures: medians of the suite's own figures, by name.
    """

    contender: str
    per_second: float = 0.0
    least: float = 0.0
    greatest: float = 0.0
    tokens_per_second: float = 0.0
    cpu_s: float = 0.0
    rss_mib: int = 0
    ratio: float = 0.0
    tokens_ratio: float = 0.0
    figures: dict[str, float] = {}
    skipped: str = ""


def summarise(suite: Suite, rows: Sequence[Row]) -> list[Summary]:
    """A summary of every contender that has rows, in the suite's order."""
    measured = {(row.contender, row.round): row.measured for row in rows if row.measured is not None}
    references = {number: m for (name, number), m in measured.items() if name == suite.reference}
    found = []
    there = dict.fromkeys(row.contender for row in rows)
    for name in [*(name for name in suite.everyone if name in there), *(n for n in there if n not in suite.everyone)]:
        own = {number: m for (contender, number), m in measured.items() if contender == name}
        if own:
            found.append(_summary(suite, name, own, references))
        else:
            reason = next(row.skipped for row in rows if row.contender == name)
            found.append(Summary(name, skipped=reason))
    return found


def _summary(suite: Suite, name: str, own: dict[int, Measured], references: dict[int, Measured]) -> Summary:
    runs = list(own.values())

    def speed(m: Measured) -> float:
        return _count(suite, m) / m.seconds

    def tokens(m: Measured) -> float:
        return m.tokens / m.seconds

    def ratio(of: Callable[[Measured], float]) -> float:
        found = [of(m) / of(references[n]) for n, m in own.items() if n in references and of(references[n])]
        return statistics.median(found) if found else 0.0

    speeds = [speed(m) for m in runs]
    return Summary(
        name,
        statistics.median(speeds),
        min(speeds),
        max(speeds),
        _median(runs, tokens),
        _median(runs, lambda m: m.cpu_seconds / _count(suite, m) * 1_000),
        max(m.rss_mib for m in runs),
        ratio(speed),
        ratio(tokens),
        {
            name: statistics.median(m.figures[name] for m in runs)
            for figure in suite.figures
            for name in figure.names
            if all(name in m.figures for m in runs)
        },
    )


def headings(suite: Suite) -> list[str]:
    """The headings of the columns."""
    if suite.figures:
        return ["contender", *(figure.heading for figure in suite.figures), "peak RSS"]
    tokens = ["in tokens"] if suite.in_tokens else []
    return ["contender", *(h.format(unit=suite.unit, reference=suite.reference) for h in _SPEED), *tokens]


def cells(suite: Suite, summary: Summary) -> list[str]:
    """A row of the table, as text."""
    blank = [""] * (len(headings(suite)) - 2)
    if summary.skipped:
        return [summary.contender, f"skipped: {summary.skipped}", *blank]
    rss = f"{summary.rss_mib:,} MiB"
    if suite.figures:
        shown = [_shown(f, summary.figures) for f in suite.figures]
        return [summary.contender, *shown, rss]
    found = [
        summary.contender,
        f"{summary.per_second:,.0f}",
        f"{summary.least:,.0f} to {summary.greatest:,.0f}",
        f"{summary.tokens_per_second:,.0f}" if summary.tokens_per_second else "",
        f"{summary.cpu_s:.3g}",
        rss,
        _ratio(summary.ratio),
    ]
    return [*found, _ratio(summary.tokens_ratio)] if suite.in_tokens else found


def print_table(suite: Suite, summaries: Sequence[Summary]) -> None:
    """Print the table on a terminal."""
    table = Table(title=f"{suite.name}: {suite.question}", title_justify="left", caption=suite.note or None)
    for number, heading in enumerate(headings(suite)):
        table.add_column(heading, justify="right" if number else "left")
    for summary in summaries:
        table.add_row(*cells(suite, summary))
    Console(width=140, markup=False).print(table)


def _shown(figure: Figure, figures: Mapping[str, float]) -> str:
    """The figure, with its interval."""
    values = [f"{figures[name]:,.{figure.digits}f}" for name in figure.names if name in figures]
    return f"{values[0]} ({values[1]} to {values[2]})" if len(values) > 1 else "".join(values)


def _ratio(value: float) -> str:
    if not value:
        return ""
    return f"{value:.3f}" if value < 1 else f"{value:.2f}"


def _count(suite: Suite, measured: Measured) -> int:
    return measured.texts if suite.unit == "texts" else measured.tickets


def _median(measured: Sequence[Measured], of: Callable[[Measured], float]) -> float:
    return statistics.median(of(m) for m in measured)
