"""`ticketstream evaluate`: measure how well your own questions find their tickets."""

import math
import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Final

import typer
from msgspec import Struct
from rich.progress import Progress
from rich.table import Table

from cli.bars import progress_bars, with_progress
from cli.console import JsonFlag, err, out, print_json, report_errors
from core.environment import load_settings
from core.errors import ConfigError, TicketstreamError
from core.setting_types import PREFIX
from core.settings import Settings
from maintenance.evaluation.bootstrap import Interval
from maintenance.evaluation.evaluate import (
    ALL,
    MEASURES,
    NOTHING,
    Group,
    Score,
    ask_of,
    compare,
    score_questions,
    summarise,
)
from maintenance.evaluation.gate import shown_gain
from maintenance.evaluation.measures import DEPTH
from maintenance.evaluation.questions import Question, read_questions
from runtime.control import WorkerClient
from runtime.searcher import open_searcher

_MEASURES: Final = (*MEASURES, NOTHING)


class BelowFloorError(TicketstreamError):
    """A figure is below its floor."""


class Report(Struct, frozen=True):
    """Output of `--json`. `against` and `gains` are set if a second configuration was measured.

    Attributes:
        gains: of all questions, from the second configuration to the first.
        misses: questions whose relevant tickets were not found, and questions without one that found something.
    """

    groups: list[Group]
    against: list[Group]
    gains: dict[str, Interval]
    misses: list[Score]


@report_errors
def evaluate(
    file: Annotated[Path, typer.Argument(metavar="QUESTIONS", help="JSONL of questions with the tickets to find.")],
    *,
    against: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Measure a second configuration too, with this setting changed; may be repeated.",
        ),
    ] = None,
    floor: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[GROUP:]MEASURE=VALUE",
            help="Exit with 1 if a measure (of all questions, or of a kind or language) is lower, e.g. mrr@10=0.5; "
            "may be repeated.",
        ),
    ] = None,
    misses: Annotated[int, typer.Option(min=0, help="Number of missed questions to list.")] = 0,
    as_json: JsonFlag = False,
) -> None:
    """Measure how well questions find their tickets, with 95 % confidence intervals.

    A line of the file is a question with the tickets to find, or one that no ticket answers; docs/evaluation.md has the
    format.

    [dim]ticketstream evaluate questions.jsonl --floor mrr@10=0.5[/]
    """
    questions, floors = read_questions(file), _floors(floor or [])
    settings = load_settings()
    other = _changed(against) if against else None
    with progress_bars() as bars:
        scores = _measured(questions, settings, bars, "asking")
        before = [] if other is None else _measured(questions, other, bars, "asking the other", direct=True)
    report = Report(
        summarise(scores),
        summarise(before) if before else [],
        compare(before, scores) if before else {},
        [score for score in scores if _is_miss(score)][:misses],
    )
    if as_json:
        print_json(report)
    else:
        _show(report)
    _require_floors(report.groups, floors)


def _is_miss(score: Score) -> bool:
    return not score.found.nothing if score.question.nothing else not score.scores[f"recall@{DEPTH}"]


def _measured(
    questions: Sequence[Question], settings: Settings, bars: Progress, doing: str, *, direct: bool = False
) -> list[Score]:
    with ExitStack() as stack:
        searcher = open_searcher(settings, stack)
        if direct and isinstance(searcher, WorkerClient):
            raise ConfigError("--against: a running worker answers with its own settings; stop it, then compare")
        return score_questions(with_progress(bars, doing, questions, total=len(questions)), ask_of(searcher))


def _changed(changes: Sequence[str]) -> Settings:
    """The settings with some changed.

    Raises:
        ConfigError: a change is malformed.
    """
    environment = dict(os.environ)
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals or not name.startswith(PREFIX):
            raise ConfigError(
                f"--against {change}: write NAME=VALUE with a setting of `ticketstream doctor --settings`"
            )
        environment[name] = value
    return load_settings(environment)


def _floors(given: Sequence[str]) -> dict[tuple[str, str], float]:
    """Floors by group and measure.

    Raises:
        ConfigError: a floor is malformed.
    """
    found = {}
    for one in given:
        name, _, value = one.rpartition("=")
        group, _, measure = name.rpartition(":")
        try:
            found[group or ALL, measure] = least = float(value)
        except ValueError:
            least = math.nan
        if not math.isfinite(least):
            raise ConfigError(f"--floor {one}: write MEASURE=VALUE, for example mrr@10=0.5")
        if measure not in _MEASURES:
            raise ConfigError(f"--floor {one}: the measures are {', '.join(_MEASURES)}")
    return found


def _require_floors(groups: Sequence[Group], floors: dict[tuple[str, str], float]) -> None:
    """Compare the figures with their floors.

    Raises:
        BelowFloorError: a figure is lower.
        ConfigError: a figure was not measured.
    """
    figures = {(group.name, measure): figure for group in groups for measure, figure in group.figures.items()}
    below = []
    for (group, measure), least in floors.items():
        name = measure if group == ALL else f"{group}:{measure}"
        figure = figures.get((group, measure))
        if figure is None:
            raise ConfigError(f"--floor {name}: the file has no questions of that kind")
        if figure.value < least:
            below.append(f"{name} is {figure.value:.3f}, below the floor of {least:g}")
    if below:
        raise BelowFloorError("; ".join(below))


def _show(report: Report) -> None:
    out.print(_table(report.groups, f"{report.groups[0].questions:,} questions"))
    if report.against:
        out.print(_table(report.against, "the other configuration"))
        gains = ", ".join(map(shown_gain, report.gains.items()))
        out.print(f"gain over the second configuration: {gains}", highlight=False)
    for score in report.misses:
        asked = score.question.question or score.question.ticket
        wanted, found = (
            ", ".join(score.question.grades) or "nothing",
            ", ".join(score.found.ticket_ids[:3]) or "nothing",
        )
        err.print(f"{asked}: wanted {wanted}; found {found}", markup=False, highlight=False)


def _table(groups: Sequence[Group], title: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("questions")
    table.add_column("number", justify="right")
    shown = [name for name in _MEASURES if any(name in group.figures for group in groups)]
    for name in shown:
        table.add_column("nothing found" if name == NOTHING else name, justify="right", no_wrap=True)
    for group in groups:
        figures = [group.figures.get(name) for name in shown]
        cells = ["" if figure is None else _figure(figure) for figure in figures]
        table.add_row("all" if group.name == ALL else group.name, f"{group.questions:,}", *cells)
    return table


def _figure(figure: Interval) -> str:
    return f"{figure.value:.3f}\n{figure.low:.3f} to {figure.high:.3f}"
