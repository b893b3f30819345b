"""Syncs a shard's files to disk."""

import os
from pathlib import Path
from typing import Final

_LOG: Final = "wal"


def sync_tree(shard: Path) -> None:
    """Sync a closed shard's files and folders to disk.

    Raises:
        OSError: a file operation fails.
    """
    for path in (shard, *shard.rglob("*")):
        sync_path(path)


def sync_log(shard: Path) -> None:
    """Sync a shard's write-ahead log to disk. The log and the last flushed segments contain every write.

    Raises:
        OSError: a file operation fails.
    """
    log = shard / _LOG
    for path in (log, *log.iterdir()):  # the folder too: a log's next file is a new name in it
        try:
            sync_path(path)
        except FileNotFoundError:  # renamed or removed by the engine meanwhile: no longer needed
            continue


def sync_path(path: Path) -> None:
    """Sync a file, or the names in a folder, to disk.

    Raises:
        OSError: a file operation fails.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
