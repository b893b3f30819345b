"""bench/results/README.md: a table and a plot of the last run of each suite and corpus, from the rows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import matplotlib as mpl
import msgspec
from matplotlib.figure import Figure

from bench.runner import Row, Suite
from bench.suites import SUITES
from bench.summary import Summary, cells, headings, summarise
from bench.timeline import TIMELINE

_HEAD: Final = """# What was measured

Made by `python -m bench run`; every figure is the median of interleaved rounds, each contender a process of its own on
the same texts, with no cache of vectors. Figures of different runs don't compare: look at the last column, the ratio to
the reference within one run. `make bench` measures anew on your machine.

The GPU suite has not been run: no machine with one was to be had.
"""
_TIMELINE_SECTION: Final = f"""## timeline

Two seconds from the middle of a backlog, a row per thread: while the model runs on every core, the next batch is read
and cleaned, and the last one is written. `python -m bench timeline` makes it, and timeline.json, which
[ui.perfetto.dev](https://ui.perfetto.dev) opens; a worker writes one where TICKETS_LOG__TRACE_FILE says.

![what each thread did when]({TIMELINE})
"""
_BAR_INCHES: Final = 0.42


def write_page(results: Path) -> None:
    """Write README.md and its plots from rows.jsonl."""
    rows = [msgspec.json.decode(line, type=Row) for line in (results / "rows.jsonl").read_bytes().splitlines()]
    parts = [_HEAD]
    for name, suite in SUITES.items():
        for corpus in dict.fromkeys(row.corpus for row in rows if row.suite == name):
            last = _last_run([row for row in rows if (row.suite, row.corpus) == (name, corpus)])
            parts.append(_section(suite, corpus, last, results))
    if (results / TIMELINE).exists():
        parts.append(_TIMELINE_SECTION)
    (results / "README.md").write_text("\n".join(parts))


def _last_run(rows: Sequence[Row]) -> Sequence[Row]:
    """From the last time that the first contender of round 0 stood there."""
    starts = [at for at, row in enumerate(rows) if row.round == 0 and row.contender == rows[0].contender]
    return rows[starts[-1] :]


def _section(suite: Suite, corpus: str, rows: Sequence[Row], results: Path) -> str:
    summaries = summarise(suite, rows)
    machine = rows[0].machine
    rounds = len({row.round for row in rows})
    tickets = max(row.measured.tickets for row in rows if row.measured is not None)
    plot = f"{suite.name}-{Path(corpus).stem}.svg"
    _plot(suite, [s for s in summaries if not s.skipped], results / plot)
    columns = headings(suite)
    lines = [
        f"## {suite.name}: {corpus}",
        "",
        suite.question,
        "",
        f"![{suite.unit} per second, by contender]({plot})",
        "",
        "| " + " | ".join(columns) + " |",
        "|---|" + "---:|" * (len(columns) - 1),
        *("| " + " | ".join(cells(summary)) + " |" for summary in summaries),
        "",
        f"{tickets:,} tickets a run, {rounds} rounds; {machine.cpu}, {machine.cores} cores; commit {machine.commit}; "
        f"Python {machine.python}, " + ", ".join(f"{name} {number}" for name, number in machine.versions.items()) + ".",
        "",
    ]
    return "\n".join(lines)


def _plot(suite: Suite, summaries: Sequence[Summary], file: Path) -> None:
    """Bars from 0, with whiskers from the slowest to the fastest round."""
    mpl.rcParams["svg.hashsalt"] = "ticketstream"  # the same picture is the same file
    figure = Figure(figsize=(8, 1 + _BAR_INCHES * len(summaries)), layout="constrained")
    axes = figure.add_subplot()
    names = [s.contender for s in reversed(summaries)]
    speeds = [s.per_second for s in reversed(summaries)]
    spread = [
        [s.per_second - s.least for s in reversed(summaries)],
        [s.greatest - s.per_second for s in reversed(summaries)],
    ]
    colours = ["#2b6cb0" if name == suite.reference else "#a0aec0" for name in names]
    bars = axes.barh(names, speeds, xerr=spread, color=colours, ecolor="#4a5568")
    axes.bar_label(bars, [f" {speed:,.0f}" for speed in speeds], padding=4)
    axes.set_xlabel(f"{suite.unit} per second")
    axes.margins(x=0.15)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.savefig(file, metadata={"Date": None})
