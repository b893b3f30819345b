"""A private copy of an embedded index, to read from.

The engine can't read a folder without writing to it: to open it, it replays the write-ahead log, rewrites files and
takes a lock that keeps every other process out. So a reader opens a copy, and the index's own folder is only read.
The copy is made without a lock, so a worker can start at any time: a copy that was made while a process took the
folder's lock is thrown away. Copying 100,000 points (265 MB) takes 0.13 s, and opening them 0.17 s.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import qdrant_edge as edge

from connectors.qdrant.copying import copy_shard, size_of
from connectors.qdrant.embedded import EdgeReader
from connectors.qdrant.folder import find_shard
from connectors.qdrant.lock import InUseError, find_owner, last_taken
from connectors.qdrant.reading import VersionedReader
from connectors.qdrant.shard import finds_terms, load_shard
from connectors.qdrant.space import MIB, SpaceGuard
from connectors.qdrant.wholeness import require_whole
from core.errors import ConfigError, UnavailableError
from core.index import IndexedTicket

#: MiB left free after a copy. The engine writes to the copy, which has fewer holes: on a full disk that is a SIGBUS
#: (`connectors.qdrant.space`), which would leave the copy behind.
_SPARE_MIB: Final = 32


class SnapshotReader(VersionedReader):
    """An embedded index as it was when it was opened."""

    def __init__(self, engine: EdgeReader, *, path: Path, taken: tuple[int, bytes] | None) -> None:
        super().__init__(engine)
        self._path = path
        self._taken = taken

    def tickets(self) -> Iterator[IndexedTicket]:
        """See `core.protocols.IndexReader`: the tickets as of now.

        Raises:
            InUseError: a process has taken the index since it was opened here, and may have written to it.
        """
        _require_untouched(self._path, self._taken)
        yield from super().tickets()


def open_snapshot(path: Path, *, dimension: int) -> SnapshotReader:
    """Copy the index in the folder `path` and open the copy.

    The copy's files are deleted as soon as they are open, so nothing is left when this process ends.

    Raises:
        NoIndexError: there is no index.
        InUseError: a process has locked it.
        ConfigError: it was created for another dimension, is damaged, or belongs to another user.
        UnavailableError: it can't be copied.
    """
    taken = last_taken(path)
    _require_untouched(path, taken)
    shard = find_shard(path, dimension)
    try:
        with tempfile.TemporaryDirectory(prefix="ticketstream-index-") as folder:
            _require_room(Path(folder), shard, path)
            copy = Path(folder) / shard.name
            copy_shard(shard, copy)
            _require_untouched(path, taken)
            loaded = load_shard(copy, original=shard)
            _require_whole(loaded, path, taken)
            engine = EdgeReader(loaded, dimension=dimension, has_terms=finds_terms(loaded))
    except OSError as error:
        _require_untouched(path, taken)
        raise UnavailableError(
            f"can't copy the index in {path} to read it ({(error.strerror or '').lower()}); set TMPDIR to a folder "
            "that is writable and has room for it, or start a worker, which answers searches itself"
        ) from None
    return SnapshotReader(engine, path=path, taken=taken)


def _require_whole(shard: edge.EdgeShard, path: Path, taken: tuple[int, bytes] | None) -> None:
    try:
        require_whole(shard, path)
    except ConfigError:
        _require_untouched(path, taken)  # a worker may have added points since
        raise


def _require_room(folder: Path, shard: Path, path: Path) -> None:
    room, needed = SpaceGuard(folder, reserve_mib=_SPARE_MIB).room(), size_of(shard)
    if room < needed:
        raise UnavailableError(
            f"can't copy the index in {path} to read it: that takes {needed // MIB + 1 + _SPARE_MIB:,} MiB, and "
            f"{folder.parent} has {int(room) // MIB + _SPARE_MIB:,} MiB free; free some space, set TMPDIR to a folder "
            "that has room, or start a worker, which answers searches itself"
        )


def _require_untouched(path: Path, taken: tuple[int, bytes] | None) -> None:
    owner = find_owner(path)
    if owner is not None:
        raise InUseError(f"process {owner.pid} is using the index in {path}; stop it, or try again when it is ready")
    if last_taken(path) != taken:
        raise InUseError(f"a process has opened the index in {path} while it was being read; try again")
