"""A full disk, as the operating system reports it."""

import errno
from pathlib import Path
from typing import Final

from core.errors import UnavailableError

_FULL: Final = {errno.ENOSPC, errno.EDQUOT}


def full_disk_error(error: OSError, place: Path | None = None) -> UnavailableError | None:
    """The one-line error of a write that failed because the disk or the user's quota is full; None for other errors.

    Args:
        error: raised by the write.
        place: the folder or file, if the error doesn't name it.
    """
    if error.errno not in _FULL:
        return None
    where = error.filename or place
    written = f"can't write {where}" if where else "can't write"
    return UnavailableError(
        f"{written}: {(error.strerror or 'the disk is full').lower()}; free some space and try again"
    )
