"""`ticketstream reconcile`: check that the index matches the log, and repair it."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Annotated, Final

import msgspec
import typer
from msgspec import Struct
from rich.table import Table

from cli.bars import progress_bars, with_progress
from cli.console import JsonFlag, StagedFlag, err, out, print_json, report_errors
from connectors.qdrant.lock import find_owner
from core.environment import load_settings
from core.errors import EXIT_FAULT, ConfigError
from core.protocols import IndexReader
from core.settings import Settings
from maintenance.compare import Difference, DifferenceKind
from maintenance.fold import Fold
from maintenance.log import LogWatch, RawLog, open_raw_log
from maintenance.reconcile import compare, delete_surplus, repair_index
from maintenance.reindexer import Reindexer
from maintenance.safety import refusal_to_delete, require_like_versions, unlike_setting
from maintenance.split_log import open_split_log
from maintenance.workers import WorkersLog, note_positions
from runtime.index import open_index_for_reading, open_index_for_writing
from runtime.model import open_embedder
from stream.plan import ticket_steps

_MEANINGS: Final[dict[DifferenceKind, str]] = {
    "missing": "the index lacks the ticket, or its delete",
    "stale": "the index has an older version",
    "resurrected": "the ticket is deleted, and the index shows it",
    "buried": "the index has the ticket as deleted, and its version in the log is not a delete",
    "ahead": "the index has a higher version than the log",
    "surplus": "the index shows a ticket that is not in the log",
}


class Report(Struct, frozen=True):
    """Output of `--json`.

    Attributes:
        records: in the log, `unusable` ones among them.
        pending: tickets whose latest record is not committed yet.
        expired: number of records that have expired.
        doubt: the reason to believe that the log lacks records; None if it is complete.
        unproven: tickets that only missing or unusable records can explain; they don't count as differences.
        repaired: tickets that `--repair` indexed again.
        unindexable: tickets whose latest record can't be indexed; `--repair` indexed the best earlier version.
        deleted: tickets not in the log that `--repair` deleted.
        refused: the reason why `--repair` deleted none of them.
    """

    records: int
    unusable: int
    tickets: int
    pending: int
    differences: Sequence[Difference]
    expired: int = 0
    doubt: str | None = None
    unproven: Sequence[Difference] = ()
    repaired: int = 0
    unindexable: int = 0
    deleted: int = 0
    refused: str | None = None


@report_errors
def reconcile(
    *,
    repair: Annotated[
        bool, typer.Option("--repair", help="Index missing and stale tickets again, and delete surplus ones.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete surplus tickets without asking.")] = False,
    delete: Annotated[
        int | None,
        typer.Option(
            "--delete-surplus",
            min=1,
            metavar="NUMBER",
            help="With --repair: delete this number of tickets that are not in the log, despite the refusal.",
        ),
    ] = None,
    split: Annotated[
        bool, typer.Option("--split", help="For a split stream: wait until the embedding role has caught up.")
    ] = False,
    _staged: StagedFlag = False,
    limit: Annotated[int, typer.Option(min=0, help="Maximum number of tickets to list; all are counted.")] = 50,
    as_json: JsonFlag = False,
) -> None:
    """Check that the index holds the latest version of every ticket in the log; --repair repairs it.

    Exits with 0 if index and log match or every difference was repaired, otherwise with 1.

    --repair deletes no ticket that expired records may explain, not more than a tenth of the index, and none if many
    records can't be used. It then prints the number to give to --delete-surplus. It refuses settings that differ from
    those with which the workers wrote the index.

    On a Qdrant server this can run beside the workers. The embedded index belongs to its worker, which must be stopped
    first. Records that the worker's group has not committed yet count as pending, not as differences. A million tickets
    take about 220 MB of memory.
    """
    if delete is not None and not repair:
        raise ConfigError("--delete-surplus needs --repair; without it nothing is changed")
    settings = load_settings()
    _require_no_worker(settings)
    log = open_split_log(settings) if split else open_raw_log(settings)
    workers = WorkersLog(settings, split=split)
    with ExitStack() as stack:
        embedder = open_embedder(settings.model, stack)
        writable = open_index_for_writing(settings.index, embedder, stack) if repair else None
        index = writable or open_index_for_reading(settings.index, embedder, stack)
        _require_like_settings(workers, index, repair=repair)
        fold, watch = log.fold(), LogWatch(log)
        report, committed = _compare(fold, log, index)
        if not as_json:
            _print_differences(settings, report, limit)
        if writable is not None:
            watch.require_same()
            if split:
                require_like_versions((one.log, one.index) for one in report.differences)
            reindexer = Reindexer(steps=ticket_steps(settings, embedder), index=writable, settings=settings.writer)
            report = _repair(report, fold, log, reindexer)
            report = _delete(report, fold, log, reindexer, indexed=writable.size().tickets, number=delete, yes=yes)
            if not (split or report.pending or report.doubt or _left(report)):
                note_positions(writable.store, workers.identify(), committed)
    if as_json:
        print_json(report)
    elif repair:
        _print_repairs(report)
    if _left(report):
        raise typer.Exit(EXIT_FAULT)


def _left(report: Report) -> int:
    """Number of differences that are not repaired."""
    surplus = _count(report, "surplus")
    return len(report.differences) - report.repaired - report.unindexable - min(report.deleted, surplus)


def _require_like_settings(workers: WorkersLog, index: IndexReader, *, repair: bool) -> None:
    """Refuse to repair from another log or with settings that differ from the workers'; a comparison gets a warning.

    Raises:
        ConfigError: one differs.
    """
    noted = index.origin()
    if noted is None:
        return
    other = noted.contradiction(workers.identify())
    if other is not None and repair:
        raise ConfigError(f"{other.reason}; `ticketstream rebuild` makes an index of this log")
    unlike = other.reason if other is not None else unlike_setting(noted.settings, workers.stored)
    if unlike is not None and repair:
        raise ConfigError(f"{unlike}; set it to the workers' value, and run the command again")
    if unlike is not None:
        err.print(f"{unlike}: the result below may be wrong", markup=False, highlight=False, soft_wrap=True)


def _compare(fold: Fold, log: RawLog, index: IndexReader) -> tuple[Report, Mapping[int, int]]:
    """The report, and the group's offsets before the index was read."""
    total = log.length()
    with progress_bars() as bars:
        outcome = compare(
            fold, log, index, watch=lambda records: with_progress(bars, "reading the log", records, total=total)
        )
    report = Report(
        fold.records,
        fold.unusable,
        len(fold.tickets),
        outcome.pending,
        outcome.differences,
        expired=outcome.expired,
        doubt=outcome.doubt,
        unproven=outcome.unproven,
    )
    return report, outcome.committed


def _repair(report: Report, fold: Fold, log: RawLog, reindexer: Reindexer) -> Report:
    repaired = repair_index(report.differences, fold, log, reindexer)
    return msgspec.structs.replace(report, repaired=repaired, unindexable=len(reindexer.rejected_keys))


def _delete(
    report: Report, fold: Fold, log: RawLog, reindexer: Reindexer, *, indexed: int, number: int | None, yes: bool
) -> Report:
    """Delete the tickets that are not in the log, after confirmation or if `number` is their number.

    Raises:
        ConfigError: `number` is wrong.
    """
    # without a number, only tickets that the log contradicts, and none if there is a doubt
    lacking = report.differences if number is None and not report.doubt else (*report.differences, *report.unproven)
    found = [d for d in lacking if d.kind == "surplus"]
    if number is not None and number != len(found):
        raise ConfigError(
            f"--delete-surplus: {len(found):,} ticket(s) are not in the log now, not {number:,}; check them again"
        )
    refused = refusal_to_delete(
        surplus=len(found),
        indexed=indexed,
        unusable=report.unusable,
        records=report.records,
        doubt=report.doubt,
    )
    if found and refused and number is None:
        return msgspec.structs.replace(report, refused=refused)
    asked = f"Delete {len(found):,} ticket(s) that are not in the log?"
    if not found or not (yes or number is not None or typer.confirm(asked, err=True)):
        return report
    return msgspec.structs.replace(report, deleted=delete_surplus(found, fold, log, reindexer))


def _require_no_worker(settings: Settings) -> None:
    owner = find_owner(settings.index.path) if settings.index.url is None else None
    if owner is not None:
        raise ConfigError(
            f"the worker (process {owner.pid}) owns the index in {settings.index.path}; stop it, reconcile, and start "
            "it again: it resumes where it stopped"
        )


def _print_differences(settings: Settings, report: Report, limit: int) -> None:
    out.print(
        f"{settings.topics.raw}: {report.records:,} records, {report.unusable:,} of them invalid; "
        f"{report.tickets:,} tickets"
    )
    if report.pending:
        group = settings.kafka.group
        out.print(f"pending: {report.pending:,} ticket(s) whose latest record group {group} has not committed yet")
    if report.unproven:
        out.print(
            f"unproven: {len(report.unproven):,} ticket(s) that the log doesn't explain; "
            + (report.doubt or "it has records of theirs that can't be used")
        )
    if not report.differences:
        out.print("index and log match" if not report.unproven else "nothing else differs")
        return
    for kind, meaning in _MEANINGS.items():
        if count := _count(report, kind):
            out.print(f"{kind}: {count:,} ({meaning})", highlight=False)
    table = Table("difference", "tenant", "ticket", "version in the log", "in the index")
    for difference in report.differences[:limit]:
        versions = _version(difference.log), _version(difference.index)
        table.add_row(difference.kind, difference.tenant_id, difference.ticket_id, *versions)
    if limit:
        out.print(table)
    if len(report.differences) > limit:
        out.print(f"and {len(report.differences) - limit:,} more; --limit sets how many are listed")


def _print_repairs(report: Report) -> None:
    err.print(f"{report.repaired:,} ticket(s) indexed again, {report.deleted:,} deleted")
    if report.refused:
        err.print(f"nothing deleted: {report.refused}", markup=False, highlight=False, soft_wrap=True)
    if report.unindexable:
        err.print(
            f"{report.unindexable:,} ticket(s) have a latest record that can't be indexed; "
            "the best earlier version is indexed instead"
        )


def _count(report: Report, kind: DifferenceKind) -> int:
    return sum(difference.kind == kind for difference in report.differences)


def _version(version: int | None) -> str:
    return "none" if version is None else str(version)
