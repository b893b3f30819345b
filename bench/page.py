"""Writes bench/results/README.md from the rows: a table and a plot of the last run of each suite and corpus."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from bench.plot import plot
from bench.suite import Row, Suite
from bench.suites import SUITES
from bench.summary import cells, headings, summarise
from bench.timeline import TIMELINE

_HEAD: Final = """# Benchmark results

`python -m bench run` writes this page. Every figure is the median of interleaved rounds. Each contender runs in a
process of its own on the same texts, without a cache of vectors. Don't compare figures of different runs: compare the
last columns, the ratios to the reference within one run. `make bench` runs the suites on your machine.
"""
_NO_GPU: Final = """The GPU suite has not been run: no machine with a GPU was available. `make bench-gpu` runs it.
"""
_TIMELINE_SECTION: Final = f"""## timeline

The picture shows two seconds from the middle of a backlog, one row per thread: while the model runs on every core, the
next batch is read and cleaned, and the last one is written. `python -m bench timeline` draws it, and writes
timeline.json, which [ui.perfetto.dev](https://ui.perfetto.dev) opens. A worker writes such a trace to the file that
TICKETS_LOG__TRACE_FILE names.

![what each thread did when]({TIMELINE})
"""


def write_page(results: Path) -> None:
    """Write README.md and its plots from rows.jsonl."""
    rows = [msgspec.json.decode(line, type=Row) for line in (results / "rows.jsonl").read_bytes().splitlines()]
    parts = [_HEAD]
    if not any(row.suite == "gpu" and row.measured is not None for row in rows):
        parts.append(_NO_GPU)
    for name, suite in SUITES.items():
        for corpus in dict.fromkeys(row.corpus for row in rows if row.suite == name):
            last = last_run([row for row in rows if (row.suite, row.corpus) == (name, corpus)])
            if any(row.measured is not None for row in last):
                parts.append(_section(suite, corpus, last, results))
    if (results / TIMELINE).exists():
        parts.append(_TIMELINE_SECTION)
    (results / "README.md").write_text("\n".join(parts))


def last_run(rows: Sequence[Row]) -> Sequence[Row]:
    """The rows of the last run. A run begins with round 0, in which each contender occurs once."""
    start, before = 0, 0
    seen: set[str] = set()
    for at, row in enumerate(rows):
        if row.round == 0 and (before > 0 or row.contender in seen):
            start, seen = at, set()
        seen.add(row.contender)
        before = row.round
    return rows[start:]


def _section(suite: Suite, corpus: str, rows: Sequence[Row], results: Path) -> str:
    summaries = summarise(suite, rows)
    machine = rows[0].machine
    rounds = len({row.round for row in rows})
    tickets = max(row.measured.tickets for row in rows if row.measured is not None)
    counted = f"{tickets:,} tickets a run, " if tickets > 1 and not suite.corpus else ""
    picture = f"{suite.name}-{Path(corpus).stem}.svg"
    alt_text = plot(suite, summaries, results / picture)
    columns = headings(suite)
    lines = [
        f"## {suite.name}: {corpus}",
        "",
        suite.question,
        "",
        f"![{alt_text}]({picture})",
        "",
        "| " + " | ".join(columns) + " |",
        "|---|" + "---:|" * (len(columns) - 1),
        *("| " + " | ".join(cells(suite, summary)) + " |" for summary in summaries),
        "",
        *([suite.note, ""] if suite.note else []),
        f"{counted}{rounds} {'round' if rounds == 1 else 'rounds'}; "
        f"{machine.hardware}; commit {machine.commit}; "
        f"Python {machine.python}, " + ", ".join(f"{name} {number}" for name, number in machine.versions.items()) + ".",
        "",
    ]
    return "\n".join(lines)
