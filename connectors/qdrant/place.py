"""The place of an open shard's files."""

from pathlib import Path

from msgspec import Struct


class Place(Struct, frozen=True):
    """A shard's folder, and its device and inode when it was opened."""

    path: Path
    identity: tuple[int, int]

    def is_held(self) -> bool:
        """False if the folder was removed, or another one is in its place."""
        try:
            return _identity(self.path) == self.identity
        except OSError:
            return False


def place_of(path: Path) -> Place:
    """The place of the folder as it is now.

    Raises:
        OSError: it isn't there.
    """
    return Place(path, _identity(path))


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino
