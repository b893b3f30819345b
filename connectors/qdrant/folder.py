"""The embedded engine's folder: made, checked, opened, and its write-ahead log brought to the disk.

The points lie in a folder of their own inside, the shard, and `index.json` names it: so an index made anew takes the
place of the old one by the rename of that file, in one step.
"""

import os
import shutil
import time
from pathlib import Path
from typing import Final

import msgspec
import qdrant_edge as edge
from msgspec import Struct

from connectors.qdrant.layout import VECTOR
from connectors.qdrant.packing import indexes
from core.errors import ConfigError

#: Changes with how points lie in the folder: one of another layout is indexed anew.
_LAYOUT: Final = 3

_SHARD: Final = "shard"
_LOG: Final = "wal"
_META: Final = "index.json"


class _Meta(Struct, frozen=True):
    """What the folder was made for."""

    dimension: int
    layout: int
    shard: str = _SHARD


def require_dimension(path: Path, dimension: int) -> int:
    """Note what the folder is made for, or check what it was made for.

    Raises:
        ConfigError: it was made for another dimension or layout.
    """
    file = path / _META
    if not file.exists():
        if (path / _SHARD).exists() or any(path.glob(f"{_SHARD}-*")):
            raise ConfigError(f"TICKETS_INDEX__PATH: {file} is missing; name a new folder, and replay the log")
        _note(path, _Meta(dimension, _LAYOUT))
        return dimension
    meta = _read(path)
    if meta.layout != _LAYOUT:
        raise ConfigError(
            f"TICKETS_INDEX__PATH: {path} has layout {meta.layout} and this version writes {_LAYOUT}; name "
            "a new folder and a new consumer group, and the log is indexed anew"
        )
    if meta.dimension != dimension:
        raise ConfigError(
            f"TICKETS_INDEX__PATH: {path} was made for vectors of {meta.dimension} dimensions and the model gives "
            f"{dimension}; name a new folder and a new consumer group, and the log is indexed anew"
        )
    return dimension


def shard_of(path: Path) -> Path:
    """The folder of the points, by `index.json`.

    Raises:
        ConfigError: it is damaged.
    """
    return path / _read(path).shard


def open_shard(path: Path, dimension: int) -> edge.EdgeShard:
    """The engine over the folder; made when there is none.

    Raises:
        ConfigError: what lies there can't be read.
    """
    shard = shard_of(path)
    try:
        if shard.exists():
            return edge.EdgeShard.load(str(shard))
        return _create(shard, dimension)
    except BaseException as error:
        if not of_engine(error):
            raise
        raise ConfigError(
            f"TICKETS_INDEX__PATH: {shard} can't be opened ({said(error)}); name a new folder and "
            "a new consumer group, and the log is indexed anew"
        ) from None


def _create(shard: Path, dimension: int) -> edge.EdgeShard:
    """Made aside and renamed, so that a crash leaves no half of it."""
    draft = shard.with_name(f"{shard.name}.draft")
    if draft.exists():
        shutil.rmtree(draft)
    params = edge.EdgeVectorParams(size=dimension, distance=edge.Distance.Cosine)
    made = edge.EdgeShard.create(str(draft), edge.EdgeConfig(vectors={VECTOR: params}))
    for field, kind in indexes().items():
        made.update(edge.UpdateOperation.create_field_index(field, kind))
    made.flush()
    made.close()
    draft.rename(shard)
    return edge.EdgeShard.load(str(shard))


def take_over(path: Path, made: Path) -> None:
    """Put the points of the index in `made` in the place of those in `path`; both must be closed, and ours.

    A crash leaves the old index or the new one, whole; what is left over of the other is removed here, or next time.
    `made` must be on the same disk.

    Raises:
        OSError: the disk refuses.
    """
    new = _read(made)
    shard = f"{_SHARD}-{time.time_ns()}"
    (made / new.shard).rename(path / shard)
    _sync(path)
    _note(path, _Meta(new.dimension, new.layout, shard))
    shutil.rmtree(made)
    for other in path.glob(f"{_SHARD}*"):
        if other.name != shard:
            shutil.rmtree(other)


def sync_log(shard: Path) -> None:
    """Bring a shard's write-ahead log to the disk: with it, and segments as old as the last flush, nothing is missing.

    Raises:
        OSError: the disk refuses.
    """
    log = shard / _LOG
    for name in (log, *log.iterdir()):  # the folder too: a log's next file is a new name in it
        try:
            handle = os.open(name, os.O_RDONLY)
        except FileNotFoundError:  # renamed or removed by the engine meanwhile: no longer needed
            continue
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _read(path: Path) -> _Meta:
    file = path / _META
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Meta)
    except (OSError, msgspec.DecodeError):
        raise ConfigError(f"TICKETS_INDEX__PATH: {file} is damaged; name a new folder, and replay the log") from None


def _note(path: Path, meta: _Meta) -> None:
    """Written whole and then renamed, both brought to the disk: the name leads to one content or the other."""
    draft = path / f"{_META}.draft"
    with draft.open("wb") as file:
        file.write(msgspec.json.encode(meta))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path / _META)
    _sync(path)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def of_engine(error: BaseException) -> bool:
    """Plain `Exception`, or a panic of its Rust code: that derives from BaseException and has no public name."""
    return type(error) is Exception or type(error).__name__ == "PanicException"


def said(error: BaseException) -> str:
    """What the engine says of its error, in one line."""
    return (str(error).splitlines() or ["no details"])[0][:160]
