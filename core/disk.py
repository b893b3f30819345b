"""A full disk, or a file that may not be used, as the operating system reports them."""

import errno
from pathlib import Path
from typing import Final

from core.errors import ConfigError, TicketstreamError, UnavailableError

_FULL: Final = {errno.ENOSPC, errno.EDQUOT}
_REFUSED: Final = {errno.EACCES, errno.EPERM, errno.EROFS}
#: The path is wrong: a file where a folder is needed, or the reverse, a link in a circle, a name that is too long.
_WRONG: Final = {errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG}


def file_error(error: OSError) -> TicketstreamError | None:
    """The one-line error of a full disk, or of a path that can't be used; None for other errors: bugs."""
    if error.errno in _REFUSED and error.filename is not None:
        return ConfigError(
            f"can't use {error.filename}: {(error.strerror or '').lower()}; give this user access to it, or name "
            "another place in the settings"
        )
    if error.errno in _WRONG and error.filename is not None:
        return ConfigError(f"can't use {error.filename}: {(error.strerror or '').lower()}; name another place")
    return full_disk_error(error)


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
