"""The benchmarks: suites of contenders, rows in JSON, and a page of tables and plots.

python -m bench run [SUITE]... measures, appends rows to bench/results/rows.jsonl and renews the page
python -m bench timeline       traces one run of the pipeline and draws it
python -m bench page           renews bench/results/README.md from the rows
"""

from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bench.corpus import SYNTHETIC
from bench.job import Job
from bench.machine import Machine, this_machine
from bench.page import write_page
from bench.runner import ContenderError, run_once, run_suite
from bench.suite import Row, Suite
from bench.suites import SUITES, growth
from bench.summary import print_table, summarise
from bench.timeline import TIMELINE, draw
from core.errors import TicketstreamError

app = typer.Typer(add_completion=False, help=__doc__, no_args_is_help=True, rich_markup_mode=None)
err = Console(stderr=True, markup=False)

_HEAVY: Final = " and ".join(name for name, suite in SUITES.items() if suite.heavy)
_RESULTS: Final = Path(__file__).parent / "results"
ResultsOption = Annotated[Path, typer.Option(help="Folder of rows.jsonl and of the page.")]


@app.command()
def run(
    suites: Annotated[
        list[str] | None, typer.Argument(help=f"Suites to run: {', '.join(SUITES)}. Default: all but {_HEAVY}.")
    ] = None,
    *,
    tickets: Annotated[int, typer.Option(min=1, help="Tickets per run; texts per run, for a file.")] = 4_000,
    rounds: Annotated[int, typer.Option(min=1, help="Number of interleaved rounds; the table shows medians.")] = 3,
    corpus: Annotated[
        str, typer.Option(help="For embed: synthetic, banking77, or a JSONL file with a field `text`.")
    ] = SYNTHETIC,
    points: Annotated[str, typer.Option(help="For growth: sizes of the index in points, separated by commas.")] = "",
    results: ResultsOption = _RESULTS,
) -> None:
    """Run benchmark suites and show the medians."""
    unknown = [name for name in suites or () if name not in SUITES]
    if unknown:
        err.print(f"{unknown[0]} is not a suite; choose from {', '.join(SUITES)}")
        raise typer.Exit(2)
    sizes = _sizes(points)
    results.mkdir(parents=True, exist_ok=True)
    machine = this_machine()
    for name in suites or [name for name, suite in SUITES.items() if not suite.heavy]:
        suite = growth(sizes) if name == "growth" and sizes else SUITES[name]
        rows = _run(suite, Job("", tickets, corpus), rounds, machine)
        with (results / "rows.jsonl").open("ab") as file:
            file.writelines(msgspec.json.encode(row) + b"\n" for row in rows)
        print_table(suite, summarise(suite, rows))
    write_page(results)


def _sizes(points: str) -> list[int]:
    try:
        return [int(size) for size in points.split(",") if size]
    except ValueError:
        err.print(f"--points: {points} is not a list of numbers such as 10000,100000")
        raise typer.Exit(2) from None


def _run(suite: Suite, job: Job, rounds: int, machine: Machine) -> list[Row]:
    """The rows of one suite, measured behind a progress bar."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
    )
    rows: list[Row] = []
    with Progress(*columns, TimeElapsedColumn(), console=err, transient=True) as progress:
        rounds = rounds if suite.repeats else 1
        task = progress.add_task(suite.name, total=rounds * len(suite.everyone))

        def started(contender: str, number: int) -> None:
            progress.update(task, description=f"{suite.name}, round {number + 1}: {contender}")

        try:
            for row in run_suite(suite, job, rounds=rounds, machine=machine, started=started):
                rows.append(row)
                progress.advance(task, rounds if row.skipped else 1)
        except (ContenderError, TicketstreamError) as error:
            err.print(str(error))
            raise typer.Exit(1) from None
    return rows


@app.command()
def timeline(
    *,
    tickets: Annotated[int, typer.Option(min=1, help="Number of tickets in the backlog.")] = 2_000,
    results: ResultsOption = _RESULTS,
) -> None:
    """Trace one run of the pipeline, and draw two seconds of it to show what overlaps."""
    results.mkdir(parents=True, exist_ok=True)
    trace = results.resolve() / "timeline.json"
    job = Job("ticketstream", tickets)
    try:
        run_once(SUITES["pipeline"], job, {"TICKETS_LOG__TRACE_FILE": str(trace)})
    except (ContenderError, TicketstreamError) as error:
        err.print(str(error))
        raise typer.Exit(1) from None
    shares = draw(trace, results / TIMELINE)
    for name, share in shares.items():
        print(f"{name:10}{share:5.0%} of the time at least one thread is busy")
    err.print(f"open {trace} in ui.perfetto.dev or about:tracing")


@app.command()
def page(*, results: ResultsOption = _RESULTS) -> None:
    """Write the page again from the last run of each suite and corpus."""
    if not (results / "rows.jsonl").exists():
        err.print(f"{results / 'rows.jsonl'} does not exist; `python -m bench run` creates it")
        raise typer.Exit(2)
    write_page(results)


if __name__ == "__main__":
    app()
