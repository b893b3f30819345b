"""`ticketstream reconcile`: does the index hold what the log says, and if not, mend it."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer
from msgspec import Struct
from rich.table import Table

from cli.bars import progress, shown
from cli.console import JsonFlag, StagedFlag, ends_in_one_line, err, out, print_json
from connectors.qdrant.lock import find_owner
from connectors.qdrant.open import open_index_for_writing
from core.environment import load_settings
from core.errors import EXIT_FAULT, ConfigError
from core.settings import Settings
from maintenance.compare import Difference, DifferenceKind, Outcome
from maintenance.fold import Fold
from maintenance.log import open_raw_log
from maintenance.reconcile import compare, delete_surplus, repair_index
from maintenance.reindexer import Reindexer
from maintenance.split_log import open_split_log
from runtime.model import open_embedder
from stream.plan import ticket_steps

_MEANINGS: Final[dict[DifferenceKind, str]] = {
    "missing": "the index doesn't know the ticket",
    "stale": "the index has an older version",
    "resurrected": "deleted, and the index shows it",
    "ahead": "the index has a version above all in the log",
    "surplus": "the index shows a ticket that the log doesn't know",
}


class Report(Struct, frozen=True):
    """What `--json` prints."""

    records: int
    unusable: int
    tickets: int
    pending: int
    differences: Sequence[Difference]
    repaired: int
    unmended: int
    deleted: int


@ends_in_one_line
def reconcile(
    *,
    repair: Annotated[
        bool, typer.Option("--repair", help="Index the missing and stale tickets from the log, delete the surplus.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete surplus tickets without asking.")] = False,
    split: Annotated[
        bool, typer.Option("--split", help="For a split stream: wait until the embedding role has caught up.")
    ] = False,
    _staged: StagedFlag = False,
    limit: Annotated[int, typer.Option(min=0, help="Most tickets to list; all are counted.")] = 50,
    as_json: JsonFlag = False,
) -> None:
    """Compare the index with the fold of the log: 0 when they are equal or were made so, 1 when not.

    Against a server it may run beside the workers. Records that the group hasn't committed yet count as pending and
    not as differences. A million tickets take 220 MB here.
    """
    settings = load_settings()
    _require_no_worker(settings)
    log = open_split_log(settings) if split else open_raw_log(settings)
    fold = log.fold()
    embedder = open_embedder(settings.model)
    index = open_index_for_writing(settings.index, dimension=embedder.dimension, model=embedder.stamp)
    try:
        with progress() as bars:
            outcome = compare(
                fold, log, index, watch=lambda records: shown(bars, "reading the log", records, total=log.length())
            )
        if not as_json:
            _show(settings, fold, outcome, limit)
        repaired = unmended = deleted = 0
        if repair:
            reindexer = Reindexer(steps=ticket_steps(settings, embedder), index=index, settings=settings.writer)
            repaired = repair_index(outcome.differences, fold, log, reindexer)
            unmended, surplus = len(reindexer.rejected_keys), outcome.count("surplus")
            if surplus and (yes or typer.confirm(f"Delete {surplus} ticket(s) that the log doesn't know?", err=True)):
                deleted = delete_surplus(outcome.differences, reindexer)
    finally:
        index.close()
    if as_json:
        facts = (fold.records, fold.unusable, len(fold.tickets), outcome.pending)
        print_json(Report(*facts, outcome.differences, repaired, unmended, deleted))
    elif repair:
        err.print(f"{repaired:,} ticket(s) indexed from the log, {deleted:,} deleted")
        if unmended:
            err.print(f"{unmended:,} ticket(s) have a latest record that can't be used, and are as the one before says")
    if repaired + unmended + deleted < len(outcome.differences):
        raise typer.Exit(EXIT_FAULT)


def _require_no_worker(settings: Settings) -> None:
    owner = find_owner(settings.index.path) if settings.index.url is None else None
    if owner is not None:
        raise ConfigError(
            f"process {owner.pid} owns the index in {settings.index.path}; stop it, reconcile, and start it again: "
            "it goes on where it stopped"
        )


def _show(settings: Settings, fold: Fold, outcome: Outcome, limit: int) -> None:
    out.print(
        f"{settings.topics.raw}: {fold.records:,} records, {fold.unusable:,} of them unusable, "
        f"{len(fold.tickets):,} tickets"
    )
    if outcome.pending:
        group = settings.kafka.group
        out.print(f"pending: {outcome.pending:,} ticket(s) whose latest record group {group} has not committed")
    if not outcome.differences:
        out.print("the index holds what the log says")
        return
    for kind, meaning in _MEANINGS.items():
        if outcome.count(kind):
            out.print(f"{kind}: {outcome.count(kind):,} ({meaning})", highlight=False)
    table = Table("difference", "tenant", "ticket", "log", "index")
    for difference in outcome.differences[:limit]:
        table.add_row(difference.kind, difference.tenant_id, difference.ticket_id, *map(_version, _both(difference)))
    if limit:
        out.print(table)
    if len(outcome.differences) > limit:
        out.print(f"and {len(outcome.differences) - limit:,} more; --limit shows them")


def _both(difference: Difference) -> tuple[int | None, int | None]:
    return difference.log, difference.index


def _version(version: int | None) -> Any:
    return "none" if version is None else str(version)
