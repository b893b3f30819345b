"""Backups of an embedded index: a copy of its folder, with a list of the files and their hashes.

A copy without its list is incomplete: the list is written last. The copy includes the index's provenance, so a worker
knows the restored index's positions in the log (`connectors.qdrant.provenance`).
"""

import hashlib
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from connectors.qdrant import folder
from connectors.qdrant.copying import copy_file, copy_shard, size_of
from connectors.qdrant.engine import NoIndexError
from connectors.qdrant.lock import take_lock
from connectors.qdrant.space import MIB, SpaceGuard
from connectors.qdrant.syncing import sync_tree
from core.disk import full_disk_error
from core.errors import ConfigError, UnavailableError
from core.private import make_private_folder, open_private

_LIST: Final = "backup.json"
_LAST_MS: Final = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z


class Backup(Struct, frozen=True, kw_only=True):
    """Content of `backup.json`.

    Attributes:
        taken_ms: milliseconds since 1970.
        files: sha256 by path.
    """

    taken_ms: Annotated[int, Meta(ge=0, le=_LAST_MS)]
    files: Mapping[str, str]


def back_up_folder(path: Path, target: Path) -> Backup:
    """Copy the index in `path` to the new folder `target`. No process may be using it: it is locked meanwhile.

    Raises:
        NoIndexError: there is no index.
        InUseError: a process is using it.
        ConfigError: `target` exists, or is inside of `path`; or the index is damaged.
        UnavailableError: the copy can't be written.
    """
    if folder.dimension_of(path) is None:
        raise NoIndexError(f"TICKETS_INDEX__PATH: there is no index in {path}, so there is nothing to back up")
    lock = take_lock(path)
    try:
        return write_backup(path, target)
    finally:
        lock.release()


def write_backup(path: Path, target: Path, *, hold: Callable[[], AbstractContextManager[None]] = nullcontext) -> Backup:
    """Copy the index in `path`, which this process has locked, to `target`. `hold` keeps it from changing meanwhile.

    Raises:
        ConfigError: `target` exists, or is inside of `path`.
        UnavailableError: the copy can't be written.
    """
    require_new_place(path, target)
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, target, ignore_errors=True)
        try:
            taken = _write(path, target, hold)
        except OSError as error:
            raise full_disk_error(error, target) or ConfigError(
                f"can't write the backup to {target} ({(error.strerror or '').lower()}); give a writable place"
            ) from None
        undo.pop_all()
    return taken


def _write(path: Path, target: Path, hold: Callable[[], AbstractContextManager[None]]) -> Backup:
    make_private_folder(target)
    with hold():
        shard = folder.shard_of(path)
        copy_file(path / folder.META, target / folder.META)
        copy_shard(shard, target / shard.name)
    taken = Backup(taken_ms=int(time.time() * 1000), files=_sums(target))
    with open_private(target / _LIST) as file:
        file.write(msgspec.json.format(msgspec.json.encode(taken, order="deterministic")))
    sync_tree(target)
    return taken


def read_backup(source: Path) -> Backup:
    """The list of a backup.

    Raises:
        ConfigError: the folder holds no complete backup.
    """
    try:
        return msgspec.json.decode((source / _LIST).read_bytes(), type=Backup)
    except FileNotFoundError:
        raise ConfigError(f"{source} holds no complete backup: it has no {_LIST}") from None
    except OSError as error:
        raise ConfigError(f"can't read {source / _LIST} ({(error.strerror or '').lower()})") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ConfigError(f"{source / _LIST} is damaged, so the backup can't be verified; use another one") from None


def restore_folder(path: Path, source: Path, *, min_free_mib: int) -> Backup:
    """Replace the index in `path` by the backup in `source`, in one step, after copying and verifying it.

    Raises:
        ConfigError: the backup is incomplete, damaged or of another version.
        InUseError: a process is using the index.
        UnavailableError: the disk has no room for both.
    """
    taken = read_backup(source)
    if not folder.is_readable(source):
        raise ConfigError(f"the backup in {source} is of another version's index; restore it with the one that made it")
    lock = take_lock(path)
    built = path / folder.RESTORED
    try:
        _require_room(path, source, min_free_mib)
        shutil.rmtree(built, ignore_errors=True)
        copy_shard(source, built)
        (built / _LIST).unlink()
        _require_same(_sums(built), taken, source)
        sync_tree(built)
        folder.take_over(path, built)
    except OSError as error:
        raise full_disk_error(error, path) or ConfigError(
            f"can't restore {source} ({error.filename}: {(error.strerror or '').lower()}); the index is unchanged"
        ) from None
    finally:
        shutil.rmtree(built, ignore_errors=True)
        lock.release()
    return taken


def require_new_place(path: Path, target: Path) -> None:
    """Check that a backup of the index in `path` may be written to `target`.

    Raises:
        ConfigError: `target` exists, or is inside of `path`.
    """
    if target.resolve().is_relative_to(path.resolve()):
        raise ConfigError(f"{target} is inside the index's own folder; give another place")
    try:
        taken = target.exists() and (not target.is_dir() or any(target.iterdir()))
    except OSError as error:
        raise ConfigError(f"can't read {target} ({(error.strerror or '').lower()})") from None
    if taken:
        raise ConfigError(f"{target} exists already; give a new folder for each backup")


def _require_room(path: Path, source: Path, min_free_mib: int) -> None:
    room, needed = SpaceGuard(path, reserve_mib=min_free_mib).room(), size_of(source)
    if room < needed:
        raise UnavailableError(
            f"the disk has no room for the backup in addition to the present index: {needed / MIB:,.0f} MiB "
            f"are needed beyond "
            f"the {min_free_mib:,} MiB of TICKETS_INDEX__MIN_FREE_MIB, and {room / MIB:,.0f} MiB are free"
        )


def _require_same(found: Mapping[str, str], taken: Backup, source: Path) -> None:
    wrong = sorted(name for name in {*found, *taken.files} if found.get(name) != taken.files.get(name))
    if wrong:
        raise ConfigError(
            f"the backup in {source} is damaged: {len(wrong)} file(s) differ from {_LIST}, such as {wrong[0]}; "
            "the index is unchanged, use another backup"
        )


def _sums(root: Path) -> dict[str, str]:
    """The sha256 of every file below `root`, by its path."""
    sums = {}
    for path in sorted(root.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                sums[path.relative_to(root).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return sums
