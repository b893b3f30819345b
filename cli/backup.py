"""`ticketstream backup` and `ticketstream restore`: save the index to a folder, and put it back."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from msgspec import Struct

from cli.console import JsonFlag, err, print_json, report_errors
from connectors.qdrant.backup import Backup, back_up_folder, read_backup, require_new_place, restore_folder
from connectors.qdrant.lock import find_owner
from core.environment import load_settings
from core.errors import ConfigError, UnavailableError
from core.settings import IndexSettings
from runtime.control import WorkerClient

#: Timeout of a worker's copy, in seconds: 100 GB at 30 MB/s.
_TIMEOUT_S: Final = 3_600.0
_RESTORE_ON_SERVER: Final = (
    "TICKETS_INDEX__URL: a Qdrant server restores its own snapshots; docs/runbooks.md, Restoring the index, has the "
    "steps"
)


class Report(Struct, frozen=True):
    """Output of `--json`.

    Attributes:
        backup: the folder, or the name of the server's snapshot.
        collection: on a server.
        taken_ms: when it was made, if it is a folder.
    """

    backup: str
    collection: str | None = None
    taken_ms: int | None = None


@report_errors
def backup(
    *,
    folder: Annotated[
        Path | None, typer.Argument(help="New folder for the copy of the embedded index; only you can read it.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Save the index, with or without a running worker.

    The embedded index is copied to FOLDER. A running worker makes the copy itself, during which its writes wait
    briefly and searches still work. A Qdrant server makes and keeps a snapshot of the collection, on the node that
    TICKETS_INDEX__URL names.

    [dim]ticketstream backup /backups/tickets-$(date +%F)[/]
    """
    settings = load_settings().index
    report = _back_up_embedded(settings, folder) if settings.url is None else _back_up_server(settings, folder)
    if as_json:
        print_json(report)
    elif report.collection is None:
        err.print(f"the index is saved in {report.backup}; `ticketstream restore` puts it back", soft_wrap=True)
    else:
        err.print(f"the server keeps snapshot {report.backup} of collection {report.collection}", soft_wrap=True)


@report_errors
def restore(
    *,
    folder: Annotated[Path, typer.Argument(help="Folder that `ticketstream backup` wrote.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Replace an existing index without asking.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Replace the embedded index by a backup. Stop the worker first.

    The backup is copied and verified before it replaces the index, in one step. It is older than the consumer group's
    offsets; docs/runbooks.md, Restoring the index, says how the worker reads the difference again.
    """
    settings = load_settings().index
    if settings.url is not None:
        raise ConfigError(_RESTORE_ON_SERVER)
    taken = read_backup(folder)
    when = datetime.fromtimestamp(taken.taken_ms / 1000, UTC).isoformat(" ", "seconds")
    if not yes and settings.path.is_dir() and any(settings.path.iterdir()):
        typer.confirm(f"Replace the index in {settings.path} by the backup of {when}?", err=True, abort=True)
    restore_folder(settings.path, folder, min_free_mib=settings.min_free_mib)
    if as_json:
        print_json(Report(str(folder), taken_ms=taken.taken_ms))
    else:
        err.print(f"{settings.path} holds the backup of {when}", soft_wrap=True)


def _back_up_embedded(settings: IndexSettings, target: Path | None) -> Report:
    if target is None:
        raise ConfigError("give a folder for the copy: `ticketstream backup FOLDER`")
    require_new_place(settings.path, target)
    taken = _copy(settings, target)
    return Report(str(target), taken_ms=taken.taken_ms)


def _copy(settings: IndexSettings, target: Path) -> Backup:
    owner = find_owner(settings.path)
    if owner is None:
        return back_up_folder(settings.path, target)
    if owner.address is None:
        raise UnavailableError(
            f"process {owner.pid} is using the index in {settings.path} and doesn't answer; if it is a worker that is "
            "starting, try again when it is ready"
        )
    return WorkerClient(owner, timeout_s=_TIMEOUT_S).back_up(target)


def _back_up_server(settings: IndexSettings, target: Path | None) -> Report:
    from connectors.qdrant.server_snapshot import take_server_snapshot  # noqa: PLC0415 - its client takes a second

    if target is not None:
        raise ConfigError("a Qdrant server keeps its own snapshots: run `ticketstream backup` without a folder")
    collection, name = take_server_snapshot(settings)
    return Report(name, collection)
