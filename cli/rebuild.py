"""`ticketstream rebuild`: build a new index from the log, while the old one answers."""

from collections.abc import Sequence
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer
from msgspec import Struct
from rich.progress import Progress

from cli.bars import progress_bars, with_progress
from cli.console import JsonFlag, err, print_json, report_errors
from connectors.qdrant.engine import NoIndexError
from connectors.qdrant.open import FoundIndex
from connectors.qdrant.replacement import open_replacement
from core.environment import load_settings
from core.errors import ConfigError
from core.provenance import Provenance
from core.settings import Settings
from maintenance.archived_log import open_archived_log
from maintenance.evaluation.bootstrap import Interval
from maintenance.evaluation.gate import MARGIN, Gate, shown_gain
from maintenance.evaluation.questions import read_questions
from maintenance.fold import Fold
from maintenance.log import LogWatch, RawLog, TopicLog, open_raw_log
from maintenance.rebuild import catch_up, index_new, write_latest
from maintenance.reindexer import Reindexer
from maintenance.safety import Losses, require_complete, require_same_kind, unlike_setting
from maintenance.split_log import EmbeddedLog, open_embedded_log, sampled_versions
from maintenance.workers import WorkersLog, note_positions
from runtime.model import open_embedder
from runtime.searcher import find_index
from stream.plan import receiving_steps, ticket_steps
from stream.steps import Step

_STOP_THE_WORKER: Final = (
    "the new index is complete and up to date; stop the worker now, and start it again when this command has finished"
)


class Source(StrEnum):
    """The log to read."""

    raw = "raw"
    embedded = "embedded"
    archive = "archive"


class Report(Struct, frozen=True):
    """Output of `--json`. `old` is the collection that the alias named before, if any; `gains` are of `--questions`."""

    index: str
    tickets: int
    rejected: int
    old: str | None
    gains: dict[str, Interval]


class _Plan(Struct, frozen=True):
    """The log to read, and its watch; the log that the workers read; the steps to points; the vectors' model."""

    log: TopicLog
    watch: LogWatch
    workers: WorkersLog
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
            help="`raw` embeds every ticket again; `archive` reads the archive, then the rest of the topic; "
            "`embedded` reuses a split stream's vectors and needs no model.",
        ),
    ] = Source.raw,
    questions: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="JSONL of questions (see `evaluate`) that the new index must answer as well as the old.",
        ),
    ] = None,
    margin: Annotated[float, typer.Option(min=0, max=1, help="Accepted loss of the new index's figures.")] = MARGIN,
    accept_worse: Annotated[
        bool, typer.Option("--accept-worse", help="Switch to the new index even if it finds less.")
    ] = False,
    split: Annotated[
        bool, typer.Option("--split", help="The index is that of a split stream; --from embedded implies it.")
    ] = False,
    new_settings: Annotated[
        bool,
        typer.Option("--new-settings", help="Confirm that the workers will be started with this command's settings."),
    ] = False,
    accept_expired: Annotated[
        int,
        typer.Option(metavar="NUMBER", help="Accept the loss of this number of expired records."),
    ] = 0,
    accept_unusable: Annotated[
        int, typer.Option(metavar="NUMBER", help="Accept the loss of this number of unusable records.")
    ] = 0,
    accept_missing: Annotated[
        int,
        typer.Option(metavar="NUMBER", help="Accept the loss of this number of tickets that are only in the index."),
    ] = 0,
    as_json: JsonFlag = False,
) -> None:
    """Build a new index from the log, and replace the old one, which answers until then.

    On a Qdrant server TICKETS_INDEX__COLLECTION names an alias, which switches to the new collection in one step while
    workers run. The embedded index is switched while its worker is stopped: this command says when to stop it.

    With --questions both indexes are searched before the switch. If the new one's figures are lower by more than
    --margin, and the 95 % confidence interval of the difference is below 0, the old index stays.

    With --from embedded, tickets that were written before the stream was split are left out. Run
    `ticketstream reconcile --split` afterwards to see whether any are missing.

    A log with expired records, with more than a tenth of unusable ones, or with over a tenth fewer tickets than the
    index is refused, and so are settings that differ from the workers'. The message names the option to accept them.
    """
    settings = load_settings()
    gate = Gate(settings, read_questions(questions), margin, accept_worse) if questions is not None else None
    workers = WorkersLog(settings, split=split or source is Source.embedded)
    used = _index_in_use(settings, new_settings=new_settings)
    if used is not None and used.origin is not None and not new_settings:
        _require_like_settings(used.origin, workers)
    with progress_bars() as bars, ExitStack() as stack:
        plan = _PLANS[source](settings, workers, bars, stack)
        if workers.split and source is not Source.embedded and not new_settings:
            require_same_kind(sampled_versions(settings, plan.fold))
        _require_complete(plan, used, Losses(accept_unusable, accept_expired, accept_missing))
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
    fold, log, workers, expired = plan.fold, plan.log, plan.workers, plan.log.expired()
    replacement = open_replacement(settings.index, dimension=plan.dimension, model=plan.model)
    store = replacement.index.store

    def follow() -> None:
        """Index new records, and note the group's commits, read before them, as the index's positions."""
        held = workers.committed()
        index_new(fold, log, reindexer)
        plan.watch.require_same(expired=expired)
        note_positions(store, workers.identify(), held)

    try:
        reindexer = Reindexer(steps=plan.steps, index=replacement.index, settings=settings.writer)
        store.note_settings(workers.stored)
        total = log.length()
        write_latest(fold, log, reindexer, writing=lambda r: with_progress(bars, "indexing", r, total=total))
        catch_up(fold, log, reindexer)
        gains = {} if gate is None else gate.compare(replacement.index, plan.model)
        bars.stop()
        follow()
        replacement.switch(follow=follow, wait=_Notice(_STOP_THE_WORKER))
    finally:
        replacement.close()
    return Report(replacement.name, reindexer.written, reindexer.rejected, replacement.old, gains)


def _index_in_use(settings: Settings, *, new_settings: bool) -> FoundIndex | None:
    """None if there is no index, or if one that can't be read may have other settings."""
    try:
        return find_index(settings.index)
    except (ConfigError, NoIndexError):
        if new_settings:
            return None
        raise


def _require_like_settings(noted: Provenance, workers: WorkersLog) -> None:
    """Refuse settings that differ from those with which the workers wrote the index in use.

    Raises:
        ConfigError: one differs.
    """
    unlike = unlike_setting(noted.settings, workers.stored)
    if unlike is not None:
        raise ConfigError(
            f"{unlike}; set it to the workers' value, or repeat with --new-settings if they will be started "
            f"with this one"
        )


def _require_complete(plan: _Plan, used: FoundIndex | None, accepted: Losses) -> None:
    """Compare the log with the index in use.

    Raises:
        ConfigError: the log lacks too much.
    """
    fold, indexed = plan.fold, 0 if used is None else used.tickets
    missing = max(0, indexed - len(fold.tickets))  # a ticket that the log deletes isn't missing
    letters = plan.log.dead_lettered() if fold.lost and isinstance(plan.log, RawLog) else ()
    found = Losses(fold.unusable, plan.log.expired(), missing, fold.lost_since(letters))
    require_complete(plan.log.topic, found, accepted, records=fold.records, indexed=indexed)


def _from_raw(settings: Settings, workers: WorkersLog, bars: Progress, stack: ExitStack) -> _Plan:
    return _embedding(open_raw_log(settings), settings, workers, bars, stack)


def _from_archive(settings: Settings, workers: WorkersLog, bars: Progress, stack: ExitStack) -> _Plan:
    return _embedding(open_archived_log(settings), settings, workers, bars, stack)


def _embedding(log: RawLog, settings: Settings, workers: WorkersLog, bars: Progress, stack: ExitStack) -> _Plan:
    embedder, watch = open_embedder(settings.model, stack), LogWatch(log)
    fold = _folded(log, bars)
    return _Plan(log, watch, workers, fold, ticket_steps(settings, embedder), embedder.stamp, embedder.dimension)


def _from_embedded(settings: Settings, workers: WorkersLog, bars: Progress, _stack: ExitStack) -> _Plan:
    """A plan that reuses the vectors of `tickets.embedded`, and the model that made the latest of them."""
    log = open_embedded_log(settings)
    watch, fold = LogWatch(log), _folded(log, bars)
    model, dimension = log.model_of(fold)
    return _Plan(log, watch, workers, fold, receiving_steps(model), model, dimension)


_PLANS: Final = {Source.raw: _from_raw, Source.archive: _from_archive, Source.embedded: _from_embedded}


def _folded(log: RawLog | EmbeddedLog, bars: Progress) -> Fold:
    fold = log.fold()
    fold.read(with_progress(bars, "reading the log", log.records(), total=log.length()))
    return fold


class _Notice:
    """Prints a message once, however often it is called."""

    def __init__(self, message: str) -> None:
        self._message: str | None = message

    def __call__(self) -> None:
        if self._message is not None:
            err.print(self._message)
        self._message = None
