"""Copies a shard's files."""

import os
from pathlib import Path
from typing import Final

_BLOCK: Final = 256 * 1024
_ZEROS: Final = bytes(_BLOCK)
#: Files of an indexed segment that the engine never changes, and three quarters of its bytes.
_FINAL: Final = frozenset({"matrix.dat", "quantized.data", "links_compressed.bin", "graph.bin"})


def copy_shard(source: Path, target: Path, *, link: bool = False) -> None:
    """Copy a shard's folder to `target`, which doesn't exist yet.

    Args:
        source: the shard.
        target: the copy.
        link: share the files that never change, instead of copying them, if the disk has hard links.
    """
    target.mkdir()
    for found in source.rglob("*"):  # a folder comes before its content
        copy = target / found.relative_to(source)
        if found.is_dir():
            copy.mkdir()
        elif not (link and found.name in _FINAL and _link(found, copy)):
            copy_file(found, copy)


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
