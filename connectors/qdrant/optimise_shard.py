"""Indexes a shard's vectors in a child process, because the engine holds the GIL for minutes meanwhile.

`python -m connectors.qdrant.optimise_shard FOLDER DIMENSION SIZE`, where FOLDER is a copy of the shard that no other
process opens. The process has the lowest priority, and ends with its parent. It prints an `Optimised`.
"""

import ctypes
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
import qdrant_edge as edge
from msgspec import Struct

from connectors.qdrant.shard_config import field_indexes, search_threads, shard_config
from connectors.qdrant.sizes import SIZES, SizeClass, SizeName
from connectors.qdrant.syncing import sync_tree

_NICE: Final = 19
_PR_SET_PDEATHSIG: Final = 1
_FIRST_VICTIM: Final = "1000"


class Optimised(Struct, frozen=True):
    """The result: whether anything was changed, and the shard's points."""

    changed: bool
    points: int


def optimise_shard(shard: Path, size: SizeClass, *, dimension: int) -> Optimised:
    """Index the shard's vectors, if enough of them have no index, and sync the shard to disk.

    Segments in which many points were replaced are rebuilt, and small segments are merged.
    """
    opened = edge.EdgeShard.load(str(shard), shard_config(size, dimension=dimension, threads=1))
    threads = search_threads(opened.info().points_count, dimension=dimension)
    if threads > 1:
        opened.close()
        opened = edge.EdgeShard.load(str(shard), shard_config(size, dimension=dimension, threads=threads))
    for field, kind in field_indexes(size).items():
        opened.update(edge.UpdateOperation.create_field_index(field, kind))
    changed = opened.optimize()
    points = opened.info().points_count
    opened.flush()
    opened.close()
    sync_tree(shard)
    return Optimised(changed, points)


def main() -> None:
    """Run as a child process."""
    _end_with_parent()
    os.nice(_NICE)
    with suppress(OSError):  # Linux only: if memory runs out, the kernel kills this process and not its parent
        Path("/proc/self/oom_score_adj").write_text(_FIRST_VICTIM)
    folder, dimension, size = Path(sys.argv[1]), int(sys.argv[2]), msgspec.convert(sys.argv[3], SizeName)
    found = optimise_shard(folder, SIZES[size], dimension=dimension)
    sys.stdout.buffer.write(msgspec.json.encode(found))


def _end_with_parent() -> None:
    """Let Linux kill this process when its parent ends. On other systems it would finish its unused copy."""
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # the parent ended before the call
        sys.exit(1)


if __name__ == "__main__":
    main()
