"""`ticketstream compact`: free the space that the embedded index no longer needs."""

import time
from typing import Annotated, Final

import typer

from cli.bars import progress_bars
from cli.console import JsonFlag, err, print_json, report_errors
from connectors.qdrant.compaction import Compacted, compact_folder
from core.environment import load_settings
from core.errors import ConfigError
from core.settings import Settings
from maintenance.forgetting import DAY_MS, require_forgettable

_MIB: Final = 1024 * 1024


@report_errors
def compact(
    *,
    forget_deletes_after: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="DAYS",
            help="Also drop the marks of deletes that an earlier compaction met at least this many days ago. By "
            "default all are kept.",
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Free the disk space that updates and deletes have left in the embedded index.

    Stop the worker first; records wait in the topic meanwhile. The index is copied to new files, which then replace
    the old ones in one step, so the disk needs room for both.

    The mark of a deleted ticket keeps a late, older event from bringing the ticket back. Use --forget-deletes-after
    only if no producer sends an event that much later than a newer one. Fewer days than dead letters are kept is
    refused.
    """
    settings = load_settings()
    _require_embedded(settings)
    if forget_deletes_after is not None:
        require_forgettable(settings, forget_deletes_after)
    with progress_bars() as bars:
        task = bars.add_task("copying", total=None)
        done = compact_folder(
            settings.index.path,
            min_free_mib=settings.index.min_free_mib,
            now_ms=int(time.time() * 1000),
            forget_after_ms=None if forget_deletes_after is None else forget_deletes_after * DAY_MS,
            watch=lambda points, total: bars.update(task, completed=points, total=total),
        )
    if as_json:
        print_json(done)
    else:
        _print(done)


def _require_embedded(settings: Settings) -> None:
    if settings.index.url is not None:
        raise ConfigError(
            "TICKETS_INDEX__URL: a Qdrant server compacts its collections itself; compact is for the embedded index"
        )


def _print(done: Compacted) -> None:
    err.print(
        f"{done.bytes_before / _MIB:,.0f} MiB became {done.bytes_after / _MIB:,.0f} MiB: {done.points:,} points kept, "
        f"{done.chunk_tombstones + done.deletes_forgotten:,} tombstones dropped"
    )
    if done.deletes:
        err.print(f"the deletes of {done.deletes:,} ticket(s) are still marked; --forget-deletes-after drops old marks")
