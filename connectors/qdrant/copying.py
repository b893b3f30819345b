"""Reads and copies a shard's files."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

_BLOCK: Final = 256 * 1024
_READ: Final = 1024 * 1024
_ZEROS: Final = bytes(_BLOCK)
#: Files of an indexed segment that the engine never changes. They are three quarters of its bytes.
_FINAL: Final = frozenset({"matrix.dat", "quantized.data", "links_compressed.bin", "graph.bin"})

#: Suffixes of the files that the engine maps, and prefixes of those that it reads only to show or rescore a point.
_MAPPED: Final = frozenset({".data", ".bin", ".dat", ".e2i", ".i2e", ".versions", ".deleted", ".mappings"})
_READ_LATER: Final = ("matrix", "page_")


def copy_shard(source: Path, target: Path, *, link: bool = False, stopped: Callable[[], bool] = lambda: False) -> None:
    """Copy a shard's folder to `target`, which doesn't exist yet.

    Args:
        source: the shard.
        target: the copy.
        link: share the files that never change, instead of copying them, if the disk has hard links.
        stopped: whether to give up, which leaves a part of a copy; asked before each file.
    """
    target.mkdir()
    for found in source.rglob("*"):  # a folder comes before its content
        if stopped():
            return
        copy = target / found.relative_to(source)
        if found.is_dir():
            copy.mkdir()
        elif not (link and found.name in _FINAL and _link(found, copy)):
            copy_file(found, copy)


def read_ahead(shard: Path) -> None:
    """Read the files that the engine will map into the page cache, a megabyte at a time.

    The engine itself reads page by page, which took 140 s for a million points on a disk of about 1,000 operations a
    second.
    """
    block = bytearray(_READ)
    for file in shard.rglob("*"):
        if file.suffix in _MAPPED and not file.name.startswith(_READ_LATER) and file.is_file():
            with file.open("rb", buffering=0) as reading:
                while reading.readinto(block):
                    pass


def size_of(folder: Path) -> int:
    """Bytes on disk, without the holes of sparse files."""
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())


def copy_file(source: Path, target: Path) -> None:
    """Copy without blocks of zeros: the engine allocates 180 MB for an index of a few points and leaves holes in it."""
    with source.open("rb", buffering=0) as reading, target.open("wb") as writing:
        at = 0
        while block := reading.read(_BLOCK):
            if block != _ZEROS[: len(block)]:
                writing.seek(at)
                writing.write(block)
            at += len(block)
        writing.truncate(at)


def _link(source: Path, target: Path) -> bool:
    try:
        os.link(source, target)
    except OSError:
        return False
    return True
