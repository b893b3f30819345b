"""Indexes the vectors of an embedded index while a worker writes to it.

A search compares vectors that have no index one by one. When there are enough of them, a child process indexes a copy
of the shard (`connectors.qdrant.optimise_shard`). Then the points that were written meanwhile are copied over, and the
copy takes the shard's place. Searches go on all the while; writes wait while the copy is made, and for the switch. A
crash at any moment leaves one complete shard, the old one or the new one, with every acked write.
"""

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec
import qdrant_edge as edge

from connectors.qdrant import folder
from connectors.qdrant.copying import copy_shard, size_of
from connectors.qdrant.embedded import EdgeEngine
from connectors.qdrant.optimise_shard import Optimised
from connectors.qdrant.replacement import remove_interrupted
from connectors.qdrant.shard import load_shard, translated
from connectors.qdrant.sizes import SizeName
from connectors.qdrant.syncing import sync_log
from core.errors import ConfigError, FatalError, TransientError
from core.settings import IndexSettings

logger: Final = logging.getLogger("ticketstream.index")

#: Seconds between two checks of the number of unindexed points, and the pause after a failure.
_LOOK_S: Final = 5.0
_PAUSE_S: Final = 600.0
_POLL_S: Final = 0.2
#: A large index waits until this share of its points is new, so that it is copied less often.
_SHARE: Final = 0.1
#: Points copied at a time, for which the engine holds the GIL for some 4 ms.
_SLICE: Final = 32
#: The switch begins, and writes wait, once at most this many points are left to copy, or after this many rounds.
_FEW: Final = 256
_ROUNDS: Final = 20
#: Free disk that the copy and its new segments need, as a multiple of the shard's size.
_ROOM: Final = 2.0

#: Indexes the shard in a folder; None if it was stopped.
RunOptimise = Callable[[Path, int, SizeName, threading.Event], Optimised | None]


class OptimiseError(Exception):
    """The shard could not be indexed. The index is as it was; a later try may succeed."""


class Optimiser:
    """Indexes an embedded index's shard when enough points have no index."""

    def __init__(self, engine: EdgeEngine, path: Path, *, size: SizeName, after: int, run: RunOptimise) -> None:
        """Watch `engine`, whose index is in the folder `path`.

        Args:
            engine: open, and its folder locked by this process.
            path: the index's folder.
            size: its size class.
            after: number of unindexed points from which a build is due.
            run: indexes a shard that is closed.
        """
        self._engine = engine
        self._path = path
        self._size = size
        self._after = after
        self._run = run
        self._indexed = folder.indexed_points(path)
        #: `engine.written` as of the last build; before the first, derived from the number of indexed points.
        self._done_at = engine.written - max(0, engine.point_count() - self._indexed)

    @property
    def due(self) -> bool:
        """Whether enough points have been written since the last build."""
        return self._engine.written - self._done_at >= max(self._after, self._indexed * _SHARE)

    def optimise(self, stop: threading.Event) -> bool:
        """Index the shard, and put the result in its place. Returns False if there was nothing to do, or on `stop`.

        Raises:
            OptimiseError: it can't be done now.
        """
        new = folder.new_shard(self._path)
        try:
            written = self._start(new, stop)
            found = None if stop.is_set() else self._run(new, self._engine.dimension, self._size, stop)
            with translated():
                switched = found is not None and found.changed and self._switch(new, found, stop)
            if found is not None:
                self._done_at, self._indexed = written, found.points
                if not found.changed:
                    folder.name_shard(self._path, folder.shard_of(self._path), indexed=found.points)
        except OSError as error:
            raise OptimiseError(error.strerror) from error
        finally:
            self._engine.changed.stop()
            folder.remove_leftovers(self._path)
        return switched

    def _start(self, new: Path, stop: threading.Event) -> int:
        """Copy the shard, and record the points that are written from then on; returns `written` as of the copy.

        On `stop` the copy is a part.
        """
        old = folder.shard_of(self._path)
        needed, room = size_of(old) * _ROOM, self._engine.space.room()
        if room < needed:
            raise OptimiseError(
                f"it needs {needed / 2**20:,.0f} MiB of free disk beyond TICKETS_INDEX__MIN_FREE_MIB, and "
                f"{max(0, room) / 2**20:,.0f} MiB are free"
            )
        with self._engine.exclusive() as shard:
            shard.flush()
            self._engine.changed.start()
            copy_shard(old, new, link=True, stopped=stop.is_set)
            return self._engine.written

    def _switch(self, new: Path, found: Optimised, stop: threading.Event) -> bool:
        """Bring the new shard up to date, and let it take the old one's place."""
        shard = load_shard(new)
        for _ in range(_ROUNDS):
            with self._engine.exclusive():
                ids = self._engine.changed.take()
            if not self._copy(ids, shard, stop):
                return False
            if len(ids) <= _FEW:
                break
        shard.flush()
        with self._engine.exclusive():
            if not self._copy(self._engine.changed.take(), shard, stop):
                return False
            shard.flush()
            sync_log(new)
            folder.name_shard(self._path, new, indexed=found.points)
            self._engine.replace(shard, new)
        return True

    def _copy(self, ids: Sequence[str], target: edge.EdgeShard, stop: threading.Event) -> bool:
        """Copy points as they are now. Returns False on `stop`."""
        for at in range(0, len(ids), _SLICE):
            if stop.is_set():
                return False
            self._engine.space.require()
            asked = ids[at : at + _SLICE]
            points = self._engine.points(asked)
            target.update(edge.UpdateOperation.upsert_points(points))
            if len(points) < len(asked):
                found = {str(point.id) for point in points}
                target.update(edge.UpdateOperation.delete_points([one for one in asked if one not in found]))
        return True


def open_optimiser(engine: EdgeEngine, settings: IndexSettings, stack: ExitStack) -> None:
    """Index the engine's shard in the background, whenever it is due, until `stack` closes.

    A running build is stopped then, and the shard stays as it is.
    """
    folder.remove_leftovers(settings.path)
    remove_interrupted(settings.path)
    if settings.index_after_points == 0:
        return
    optimiser = Optimiser(
        engine, settings.path, size=settings.size, after=settings.index_after_points, run=run_in_child
    )
    stop = threading.Event()
    thread = threading.Thread(target=_watch, args=(optimiser, stop), name="optimiser", daemon=True)
    thread.start()
    stack.callback(thread.join)
    stack.callback(stop.set)


def run_in_child(shard: Path, dimension: int, size: SizeName, stop: threading.Event) -> Optimised | None:
    """Index the shard in a process of its own. On `stop` it is killed.

    Raises:
        OptimiseError: it failed.
    """
    command = [sys.executable, "-m", "connectors.qdrant.optimise_shard", str(shard), str(dimension), size]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        while True:
            try:
                out, errors = child.communicate(timeout=_POLL_S)
            except subprocess.TimeoutExpired:
                if stop.is_set():
                    child.kill()
            else:
                break
    if stop.is_set():
        return None
    if child.returncode != 0:
        lines = errors.decode(errors="replace").strip().splitlines()
        raise OptimiseError(lines[-1][:160] if lines else f"the process ended with {child.returncode}")
    return msgspec.json.decode(out, type=Optimised)


def _watch(optimiser: Optimiser, stop: threading.Event) -> None:
    pause = _LOOK_S
    while not stop.wait(pause):
        pause = _LOOK_S
        if not optimiser.due:
            continue
        began = time.monotonic()
        try:
            if optimiser.optimise(stop):
                logger.info("the index's vectors were indexed in %.0f s", time.monotonic() - began)
        except (OptimiseError, ConfigError, FatalError, TransientError) as error:
            logger.warning("the index's vectors could not be indexed (%s); the next try is in %.0f s", error, _PAUSE_S)
            pause = _PAUSE_S
