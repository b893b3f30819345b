"""Free space for the embedded engine, whose files are sparse and mapped into memory.

The engine reserves no blocks for its files. If none is left for a page that is written, the kernel kills the process
with SIGBUS, which can't be caught. So every write first checks for a reserve that is larger than one write can use.
"""

import math
import os
from pathlib import Path
from typing import Final

from core.errors import TransientError, UnavailableError
from core.settings import IndexSettings

MIB: Final = 1024 * 1024
#: Default of the reserve.
MIN_FREE_MIB: Final = IndexSettings().min_free_mib
#: Reserve of inodes. The engine creates a few files at a time.
_INODES: Final = 128


class SpaceGuard:
    """Checks the free space of a folder's file system. Thread-safe; a check takes some microseconds."""

    def __init__(self, folder: Path, *, reserve_mib: int = MIN_FREE_MIB) -> None:
        self._folder = folder
        self._reserve = reserve_mib * MIB

    def room(self) -> float:
        """Bytes that can be written before the reserve begins; negative when it has begun, NaN if it is unknown."""
        try:
            found = os.statvfs(self._folder)
        except OSError:
            return math.nan
        return found.f_bavail * found.f_frsize - self._reserve

    def require(self) -> None:
        """Check that the whole reserve is free.

        Raises:
            TransientError: it isn't. The message says what to do.
        """
        shortage = self._shortage()
        if shortage is not None:
            raise TransientError(shortage)

    def require_at_start(self) -> None:
        """Like `require`, for a process that is about to open the index.

        Raises:
            UnavailableError: the whole reserve isn't free, or the file system doesn't answer.
        """
        try:
            shortage = self._shortage()
        except OSError as error:
            raise UnavailableError(f"can't read the free space of {self._folder}: {error.strerror}") from None
        if shortage is not None:
            raise UnavailableError(shortage)

    def _shortage(self) -> str | None:
        found = os.statvfs(self._folder)
        free = found.f_bavail * found.f_frsize
        if free < self._reserve:
            return (
                f"the disk is full: {self._folder} has {free // MIB:,} MiB free, and the index is only written with "
                f"{self._reserve // MIB:,} MiB (TICKETS_INDEX__MIN_FREE_MIB); delete files or enlarge the volume"
            )
        if found.f_files and found.f_favail < _INODES:  # some file systems count no inodes
            return (
                f"the disk is full: {self._folder} has {found.f_favail:,} inodes free, and the index is only written "
                f"with {_INODES}; delete files or enlarge the volume"
            )
        return None
