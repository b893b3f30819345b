"""The embedded engine's folder: creates, checks and opens it, and syncs its write-ahead log to disk.

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

from connectors.qdrant.copying import read_ahead
from connectors.qdrant.engine import NoIndexError
from connectors.qdrant.layout import TERMS, VECTOR
from connectors.qdrant.shard_config import field_indexes
from connectors.qdrant.sizes import SIZES
from core.errors import ConfigError

#: The version of the layout on disk. A folder of another version must be indexed again.
_LAYOUT: Final = 3

_SHARD: Final = "shard"
_LOG: Final = "wal"
META: Final = "index.json"
_START_OVER: Final = (
    "set it to a new folder and TICKETS_KAFKA__GROUP to a new group, and the topic is indexed from the start"
)


class _Meta(Struct, frozen=True):
    """Content of `index.json`."""

    dimension: int
    layout: int
    shard: str = _SHARD
    #: Points that the shard had when its vectors were indexed.
    indexed: int = 0


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
        _create(shard, dimension)
    found = load_shard(shard)
    _complete(found)
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


def load_shard(shard: Path, *, original: Path | None = None) -> edge.EdgeShard:
    """Open a shard.

    Args:
        shard: its folder.
        original: the folder to name in an error, if `shard` is a copy of it.

    Raises:
        ConfigError: the shard can't be read.
    """
    try:
        read_ahead(shard)
        return edge.EdgeShard.load(str(shard))
    except BaseException as error:
        if not is_engine_error(error):
            raise
        raise ConfigError(
            f"TICKETS_INDEX__PATH: {original or shard} can't be opened ({first_line(error)}); {_START_OVER}"
        ) from None


def _is_index(path: Path) -> bool:
    file = path / META
    if file.exists():
        return True
    if (path / _SHARD).exists() or any(path.glob(f"{_SHARD}-*")):
        raise ConfigError(f"TICKETS_INDEX__PATH: {file} is missing, so the index can't be read; {_START_OVER}")
    return False


def _require_fit(path: Path, dimension: int) -> None:
    meta = _read(path)
    if meta.layout != _LAYOUT:
        raise ConfigError(
            f"TICKETS_INDEX__PATH: {path} has layout {meta.layout}, but this version reads {_LAYOUT}; {_START_OVER}"
        )
    if meta.dimension != dimension:
        raise ConfigError(
            f"TICKETS_INDEX__PATH: {path} has vectors of {meta.dimension} dimensions, but the model's have "
            f"{dimension}; {_START_OVER}"
        )


def finds_terms(shard: edge.EdgeShard) -> bool:
    """Whether the shard has terms; one that an earlier version wrote has none until a worker opens it."""
    nothing = edge.Query.Nearest(edge.SparseVector([0], [1.0]), using=TERMS)
    try:
        shard.query(edge.QueryRequest(limit=1, query=nothing))
    except BaseException as error:
        if not is_engine_error(error):
            raise
        return False
    return True


def _complete(shard: edge.EdgeShard) -> None:
    """Add the terms and the payload indexes that a shard of an earlier version lacks."""
    if not finds_terms(shard):
        shard.update(edge.UpdateOperation.create_sparse_vector(TERMS, edge.Modifier.Idf))
    there = shard.info().payload_schema
    lacking = {field: kind for field, kind in field_indexes(SIZES["medium"]).items() if field not in there}
    for field, kind in lacking.items():
        shard.update(edge.UpdateOperation.create_field_index(field, kind))
    if lacking:
        shard.flush()


def _create(shard: Path, dimension: int) -> None:
    """Create under another name and rename, so that a crash leaves no incomplete shard."""
    draft = shard.with_name(f"{shard.name}.draft")
    if draft.exists():
        shutil.rmtree(draft)
    params = edge.EdgeVectorParams(size=dimension, distance=edge.Distance.Cosine)
    terms = edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)
    config = edge.EdgeConfig(vectors={VECTOR: params}, sparse_vectors={TERMS: terms})
    created = edge.EdgeShard.create(str(draft), config)
    for field, kind in field_indexes(SIZES["medium"]).items():
        created.update(edge.UpdateOperation.create_field_index(field, kind))
    created.flush()
    created.close()
    draft.rename(shard)


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
    _sync(path)
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
    _sync(path)
    _note(path, msgspec.structs.replace(_read(path), shard=shard.name, indexed=indexed))


def indexed_points(path: Path) -> int:
    """Points that the index's shard had when its vectors were indexed; 0 if they never were."""
    return _read(path).indexed


def remove_leftovers(path: Path) -> None:
    """Remove the shards in `path` that `index.json` doesn't name: a crash interrupted their build, or their removal."""
    kept = shard_of(path)
    for shard in path.glob(f"{_SHARD}-*"):
        if shard != kept:
            shutil.rmtree(shard, ignore_errors=True)


def sync_tree(shard: Path) -> None:
    """Sync a closed shard's files and folders to disk.

    Raises:
        OSError: a file operation fails.
    """
    for name in (shard, *shard.rglob("*")):
        _sync(name)


def sync_log(shard: Path) -> None:
    """Sync a shard's write-ahead log to disk. The log and the last flushed segments contain every write.

    Raises:
        OSError: a file operation fails.
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
    file = path / META
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Meta)
    except OSError as error:
        why = f"can't read {file} ({(error.strerror or '').lower()}); run as the worker's user"
        raise ConfigError(f"TICKETS_INDEX__PATH: {why}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ConfigError(f"TICKETS_INDEX__PATH: {file} is damaged; {_START_OVER}") from None


def _note(path: Path, meta: _Meta) -> None:
    """Write a new file, sync it and rename it, so that a reader sees either the old or the new content."""
    draft = path / f"{META}.draft"
    with draft.open("wb") as file:
        file.write(msgspec.json.encode(meta))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path / META)
    _sync(path)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_engine_error(error: BaseException) -> bool:
    """Whether the engine raised it: a plain `Exception`, or its private PanicException, a BaseException."""
    return type(error) is Exception or type(error).__name__ == "PanicException"


def first_line(error: BaseException) -> str:
    """The first line of the engine's message, at most 160 characters."""
    return (str(error).splitlines() or ["no details"])[0][:160]
