"""`ticketstream rebuild`: build a new index from the log, while the old one answers."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer
from msgspec import Struct
from rich.progress import Progress

from cli.bars import progress_bars, with_progress
from cli.console import JsonFlag, err, print_json, report_errors
from connectors.qdrant.replacement import open_replacement
from core.environment import load_settings
from core.settings import Settings
from maintenance.evaluation.bootstrap import Interval
from maintenance.evaluation.gate import MARGIN, Gate, shown_gain
from maintenance.evaluation.questions import read_questions
from maintenance.fold import Fold
from maintenance.log import TopicLog, open_raw_log
from maintenance.rebuild import catch_up, index_new, write_latest
from maintenance.reindexer import Reindexer
from maintenance.split_log import open_embedded_log
from runtime.model import open_embedder
from stream.plan import receiving_steps, ticket_steps
from stream.steps import Step

_STOP_THE_WORKER: Final = (
    "the new index is complete and up to date; stop the worker now, and start it again when this command has finished"
)


class Source(StrEnum):
    """The topic to read."""

    raw = "raw"
    embedded = "embedded"


class Report(Struct, frozen=True):
    """Output of `--json`. `old` is the collection that the alias named before, if any; `gains` are of `--questions`."""

    index: str
    tickets: int
    rejected: int
    old: str | None
    gains: dict[str, Interval]


class _Plan(Struct, frozen=True):
    """The log to read, the steps that turn its records into points, and the vectors' model and dimension."""

    log: TopicLog
    fold: Fold
    steps: Sequence[Step]
    model: str
    dimension: int


@report_errors
def rebuild(
    *,
    source: Annotated[
        Source,
        typer.Option(
            "--from",
            help="`raw` embeds every ticket again; `embedded` reuses a split stream's vectors and needs no model.",
        ),
    ] = Source.raw,
    questions: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="JSONL of questions (see `evaluate`) that the new index must answer as well as the old.",
        ),
    ] = None,
    margin: Annotated[
        float, typer.Option(min=0, max=1, help="How much lower the new index's figures may be.")
    ] = MARGIN,
    accept_worse: Annotated[
        bool, typer.Option("--accept-worse", help="Switch to the new index even if it finds less.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Build a new index from the log, and put it in the place of the old one, which answers until then.

    On a Qdrant server TICKETS_INDEX__COLLECTION names an alias, which switches to the new collection in one step while
    workers run. The embedded index is switched while its worker is stopped: this command says when to stop it.

    With --questions both indexes are asked before the switch. If the new one's figures are lower by more than --margin,
    and the 95 % confidence interval of the difference is below 0, the old index stays.

    With --from embedded, tickets that were written before the stream was split are left out. Run
    `ticketstream reconcile --split` afterwards to see whether any are missing.
    """
    settings = load_settings()
    gate = Gate(settings, read_questions(questions), margin, accept_worse) if questions is not None else None
    with progress_bars() as bars:
        plan = _from_raw(settings) if source is Source.raw else _from_embedded(settings, bars)
        report = _build(settings, plan, gate, bars)
    if as_json:
        print_json(report)
        return
    err.print(f"{report.tickets:,} ticket(s) indexed into {report.index}, which now answers searches")
    if report.gains:
        err.print(f"gain on your questions: {', '.join(map(shown_gain, report.gains.items()))}", highlight=False)
    if report.rejected:
        err.print(f"{report.rejected:,} invalid record(s) were left out")
    if report.old is not None:
        err.print(
            f"collection {report.old} is unchanged and no longer written to; delete it when you no longer need it"
        )


def _build(settings: Settings, plan: _Plan, gate: Gate | None, bars: Progress) -> Report:
    """Fill a new index, catch up with the log and switch to the new index, if the gate lets it."""
    fold, log = plan.fold, plan.log
    replacement = open_replacement(settings.index, dimension=plan.dimension, model=plan.model)
    try:
        reindexer = Reindexer(steps=plan.steps, index=replacement.index, settings=settings.writer)
        total = log.length()
        write_latest(
            fold,
            log,
            reindexer,
            folding=lambda records: with_progress(bars, "reading the log", records, total=total),
            writing=lambda records: with_progress(bars, "indexing", records, total=total),
        )
        catch_up(fold, log, reindexer)
        gains = {} if gate is None else gate.compare(replacement.index, plan.model)
        bars.stop()
        replacement.switch(follow=lambda: index_new(fold, log, reindexer), wait=_Notice(_STOP_THE_WORKER))
    finally:
        replacement.close()
    return Report(replacement.name, reindexer.written, reindexer.rejected, replacement.old, gains)


def _from_raw(settings: Settings) -> _Plan:
    log = open_raw_log(settings)
    embedder = open_embedder(settings.model)
    return _Plan(log, log.fold(), ticket_steps(settings, embedder), embedder.stamp, embedder.dimension)


def _from_embedded(settings: Settings, bars: Progress) -> _Plan:
    """The log is folded first, because the latest records determine the model."""
    log = open_embedded_log(settings)
    fold = log.fold()
    fold.read(with_progress(bars, "reading the log", log.records(), total=log.length()))
    model, dimension = log.model_of(fold)
    return _Plan(log, fold, receiving_steps(model), model, dimension)


class _Notice:
    """Prints a message once, however often it is called."""

    def __init__(self, message: str) -> None:
        self._message: str | None = message

    def __call__(self) -> None:
        if self._message is not None:
            err.print(self._message)
        self._message = None
