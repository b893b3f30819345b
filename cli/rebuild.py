"""`ticketstream rebuild`: the index anew from the log, while the old one answers."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Final

import typer
from msgspec import Struct
from rich.progress import Progress

from cli.bars import progress, shown
from cli.console import JsonFlag, ends_in_one_line, err, print_json
from connectors.qdrant.replacement import open_replacement
from core.environment import load_settings
from core.settings import Settings
from maintenance.fold import Fold
from maintenance.log import TopicLog, open_raw_log
from maintenance.rebuild import catch_up, index_new, write_latest
from maintenance.reindexer import Reindexer
from maintenance.split_log import open_embedded_log
from runtime.model import open_embedder
from stream.plan import receiving_steps, ticket_steps
from stream.steps import Step

_STOP_THE_WORKER: Final = (
    "the new index is whole and follows the log; stop the worker now, and start it again when this command has ended"
)


class Source(StrEnum):
    """What an index can be made of."""

    raw = "raw"
    embedded = "embedded"


class _Plan(Struct, frozen=True):
    """How records of a log become points, of which model and size."""

    log: TopicLog
    fold: Fold
    steps: Sequence[Step]
    model: str
    dimension: int


@ends_in_one_line
def rebuild(
    *,
    source: Annotated[
        Source, typer.Option("--from", help="Topic to read. `embedded` needs no model, but a split stream.")
    ] = Source.raw,
    as_json: JsonFlag = False,
) -> None:
    """Build the index anew from tickets.raw or tickets.embedded, and put it in the old one's place when it is whole.

    On a Qdrant server TICKETS_INDEX__COLLECTION names an alias, which is turned to the new collection in one step;
    workers may run all the while. The embedded index changes while its worker is stopped: this command says when.
    Until then searches are answered by the old index.

    tickets.embedded holds the tickets that a split stream has embedded, and none from before it was split. Afterwards
    `reconcile --split` tells whether any is missing.
    """
    settings = load_settings()
    with progress() as bars:
        plan = _from_raw(settings) if source is Source.raw else _from_embedded(settings, bars)
        fold, log = plan.fold, plan.log
        replacement = open_replacement(settings.index, dimension=plan.dimension, model=plan.model)
        try:
            reindexer = Reindexer(steps=plan.steps, index=replacement.index, settings=settings.writer)
            total = log.length()
            write_latest(
                fold,
                log,
                reindexer,
                folding=lambda records: shown(bars, "reading the log", records, total=total),
                writing=lambda records: shown(bars, "indexing", records, total=total),
            )
            catch_up(fold, log, reindexer)
            bars.stop()
            replacement.switch(follow=lambda: index_new(fold, log, reindexer), wait=_Once(_STOP_THE_WORKER))
        finally:
            replacement.close()
    if as_json:
        print_json(
            {
                "index": replacement.name,
                "tickets": reindexer.written,
                "rejected": reindexer.rejected,
                "old": replacement.old,
            }
        )
        return
    err.print(f"{reindexer.written:,} ticket(s) indexed into {replacement.name}, which now answers")
    if reindexer.rejected:
        err.print(f"{reindexer.rejected:,} record(s) can't be used and are left out")
    if replacement.old is not None:
        err.print(f"collection {replacement.old} is as it was and no longer written; delete it when you don't need it")


def _from_raw(settings: Settings) -> _Plan:
    log = open_raw_log(settings)
    embedder = open_embedder(settings.model)
    return _Plan(log, log.fold(), ticket_steps(settings, embedder), embedder.stamp, embedder.dimension)


def _from_embedded(settings: Settings, bars: Progress) -> _Plan:
    """The model is known by what wins, so the log is folded first."""
    log = open_embedded_log(settings)
    fold = log.fold()
    fold.read(shown(bars, "reading the log", log.records(), total=log.length()))
    model, dimension = log.model_of(fold)
    return _Plan(log, fold, receiving_steps(model), model, dimension)


class _Once:
    """Says its words the first time."""

    def __init__(self, words: str) -> None:
        self._words: str | None = words

    def __call__(self) -> None:
        if self._words is not None:
            err.print(self._words)
        self._words = None
