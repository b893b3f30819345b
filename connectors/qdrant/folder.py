"""The folder of an embedded index: creates, checks and opens it, and replaces its shard.

The points are in a subfolder, the shard, and `index.json` names it. So a rebuilt index takes the old one's place in
one step: the rename of that file.
"""

import os
import shutil
import time
from pathlib import Path
from typing import Final

import msgspec
import qdrant_edge as edge
from msgspec import Struct

from connectors.qdrant.engine import NoIndexError
from connectors.qdrant.shard import START_OVER, complete_shard, create_shard, load_shard
from connectors.qdrant.syncing import sync_path
from core.errors import ConfigError

#: The version of the layout on disk. A folder of another version must be indexed again.
_LAYOUT: Final = 3

_SHARD: Final = "shard"
META: Final = "index.json"
#: Subfolders in which a restored and a compacted index are built, on the same disk, under the folder's lock.
RESTORED: Final = "restore"
COMPACTED: Final = "compact"


class _Meta(Struct, frozen=True):
    """Content of `index.json`."""

    dimension: int
    layout: int
    shard: str = _SHARD
    #: Points that the shard had when its vectors were indexed.
    indexed: int = 0
    #: Lower bound of the shard's points (`connectors.qdrant.wholeness`).
    points: int = 0


def open_shard(path: Path, dimension: int) -> edge.EdgeShard:
    """Open the folder's shard of vectors of `dimension`, creating it if it is missing.

    Raises:
        ConfigError: it was created for another dimension or layout, or can't be read.
    """
    if not _is_index(path):
        _note(path, _Meta(dimension, _LAYOUT))
    _require_fit(path, dimension)
    shard = shard_of(path)
    if not shard.exists():
        create_shard(shard, dimension)
    found = load_shard(shard)
    complete_shard(found)
    return found


def find_shard(path: Path, dimension: int) -> Path:
    """The folder's shard of vectors of `dimension`.

    Raises:
        NoIndexError: there is none.
        ConfigError: it was created for another dimension or layout, or is damaged.
    """
    if _is_index(path):
        _require_fit(path, dimension)
        shard = shard_of(path)
        if shard.exists():
            return shard
    raise NoIndexError(f"TICKETS_INDEX__PATH: there is no index in {path} yet; start a worker, which creates it")


def dimension_of(path: Path) -> int | None:
    """Size of the vectors of the index in the folder; None if there is none.

    Raises:
        ConfigError: the index is damaged.
    """
    return _read(path).dimension if _is_index(path) else None


def is_readable(path: Path) -> bool:
    """Whether this version reads the layout of the index in the folder.

    Raises:
        ConfigError: the index is damaged.
    """
    return _read(path).layout == _LAYOUT


def shard_of(path: Path) -> Path:
    """The shard that `index.json` names.

    Raises:
        ConfigError: the file is damaged.
    """
    return path / _read(path).shard


def _is_index(path: Path) -> bool:
    file = path / META
    if file.exists():
        return True
    if (path / _SHARD).exists() or any(path.glob(f"{_SHARD}-*")):
        raise ConfigError(f"TICKETS_INDEX__PATH: {file} is missing, so the index can't be read; {START_OVER}")
    return False


def _require_fit(path: Path, dimension: int) -> None:
    meta = _read(path)
    if meta.layout != _LAYOUT:
        raise ConfigError(
            f"TICKETS_INDEX__PATH: {path} has layout {meta.layout}, but this version reads {_LAYOUT}; {START_OVER}"
        )
    if meta.dimension != dimension:
        raise ConfigError(
            f"TICKETS_INDEX__PATH: {path} has vectors of {meta.dimension} dimensions, but the model's have "
            f"{dimension}; {START_OVER}"
        )


def take_over(path: Path, built: Path) -> None:
    """Replace the index in `path` by the one in `built`. Both must be closed, and locked by this process.

    After a crash either the old or the new index is complete; leftovers of the other are removed here or by the next
    call. `built` must be on the same disk.

    Raises:
        OSError: a file operation fails.
    """
    new = _read(built)
    shard = f"{_SHARD}-{time.time_ns()}"
    (built / new.shard).rename(path / shard)
    sync_path(path)
    _note(path, msgspec.structs.replace(new, shard=shard))
    shutil.rmtree(built)
    for other in path.glob(f"{_SHARD}*"):
        if other.name != shard:
            shutil.rmtree(other)


def new_shard(path: Path) -> Path:
    """A name for another shard of the index in `path`. It is a leftover until `name_shard`."""
    return path / f"{_SHARD}-{time.time_ns()}"


def name_shard(path: Path, shard: Path, *, indexed: int) -> None:
    """Let `index.json` name this shard, which is synced to disk and has `indexed` indexed points.

    Raises:
        OSError: a file operation fails; the present shard stays the index's.
    """
    sync_path(path)
    _note(path, msgspec.structs.replace(_read(path), shard=shard.name, indexed=indexed))


def indexed_points(path: Path) -> int:
    """Points that the index's shard had when its vectors were indexed; 0 if they never were."""
    return _read(path).indexed


def noted_points(path: Path) -> int:
    """The noted lower bound of the points in the index's shard; 0 if none is noted yet."""
    return _read(path).points


def note_points(path: Path, points: int) -> None:
    """Note that the index's shard has at least this many points, durably.

    Raises:
        OSError: a file operation fails.
    """
    found = _read(path)
    if found.points != points:
        _note(path, msgspec.structs.replace(found, points=points))


def remove_leftovers(path: Path) -> None:
    """Remove the leftovers of a crash in `path`: shards that `index.json` doesn't name, and unfinished indexes.

    The caller has locked the folder.
    """
    kept = shard_of(path)
    left = [shard for shard in path.glob(f"{_SHARD}-*") if shard != kept]
    for leftover in (*left, path / RESTORED, path / COMPACTED):
        shutil.rmtree(leftover, ignore_errors=True)


def _read(path: Path) -> _Meta:
    file = path / META
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Meta)
    except OSError as error:
        why = f"can't read {file} ({(error.strerror or '').lower()}); run as the worker's user"
        raise ConfigError(f"TICKETS_INDEX__PATH: {why}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ConfigError(f"TICKETS_INDEX__PATH: {file} is damaged; {START_OVER}") from None


def _note(path: Path, meta: _Meta) -> None:
    """Write a new file, sync it and rename it, so that a reader sees either the old or the new content."""
    draft = path / f"{META}.draft"
    with draft.open("wb") as file:
        file.write(msgspec.json.encode(meta))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path / META)
    sync_path(path)
