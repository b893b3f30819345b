"""Files and folders that only this process's user may read, because they hold tickets' texts or keys to them."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

_FOLDER: Final = 0o700
_FILE: Final = 0o600
#: Permissions of the group and of everybody else.
_OTHERS: Final = 0o077


def make_private_folder(path: Path) -> None:
    """Create a folder and its missing parents for this user alone. Existing ones stay as they are.

    Raises:
        OSError: a folder can't be created.
    """
    missing = [folder for folder in path.parents if not folder.exists()]
    for folder in (*reversed(missing), path):
        folder.mkdir(_FOLDER, exist_ok=True)


def open_private(path: Path) -> BinaryIO:
    """Open a file for writing, truncated; from now on only this user may read it.

    Raises:
        OSError: it can't be written.
    """
    file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _FILE), "wb")
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        close_to_others(path)
    return file


def keep_private(folder: Path) -> Path | None:
    """Close a folder and everything in it to other users; files that this process creates later, too.

    Returns:
        A file or folder that stays open to others, because it is another user's or the disk has no permissions.
    """
    os.umask(_OTHERS)
    return next((path for path in _tree(folder) if not close_to_others(path)), None)


def _tree(folder: Path) -> Iterator[Path]:
    yield folder.resolve()  # the user may have put a link in its place
    yield from folder.rglob("*")


def close_to_others(path: Path) -> bool:
    """Remove others' permissions. True if they have none then, or the file is gone."""
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode) or not mode & _OTHERS:
            return True
        path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
        return not path.stat().st_mode & _OTHERS
    except FileNotFoundError:
        return True
    except OSError:
        return False
