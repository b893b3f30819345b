"""Implements `core.producing.Source` for the files of a folder that match a pattern.

A file's id is its inode's number, which a rename keeps; on a shared file system (NFS, EFS) it is the same everywhere.
A new file may get the inode number of a deleted one; they differ in their content.
"""

import glob
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from core.errors import ConfigError, TransientError
from core.producing import FoundFile
from core.setting_types import expand_home

#: Number of the bytes read last that are compared before further bytes are read.
_COMPARED: Final = 256
_NS_PER_MS: Final = 1_000_000


class FolderSource:
    """The files that match a pattern, such as /data/in/*.jsonl, except hidden ones; ** matches folders at any depth."""

    def __init__(self, base: Path, pattern: str) -> None:
        self._base = base
        self._pattern = pattern
        self._odd: dict[str, Path] = {}  # paths that are not UTF-8, by the names of their files

    def files(self) -> Iterator[FoundFile]:
        """See `Source`."""
        if not self._base.is_dir():
            raise TransientError(f"there is no folder {self._base}")
        with _outages(str(self._base)):
            for path in self._base.glob(self._pattern):
                if any(part.startswith(".") for part in path.relative_to(self._base).parts):
                    continue
                try:
                    found = path.stat()
                except OSError:  # it was deleted meanwhile, or is a broken link
                    continue
                if stat.S_ISREG(found.st_mode):
                    file_id, modified_ms = f"{self._base}#{found.st_ino}", found.st_mtime_ns // _NS_PER_MS
                    yield FoundFile(file_id, self._name(path), _stamp(found), found.st_size, modified_ms)

    def open(self, file: FoundFile) -> "FolderFile":
        """See `Source`."""
        path = self._odd.get(file.name, Path(file.name))
        try:
            # otherwise opening a pipe in the file's place would block for ever
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            raise TransientError(f"{file.name} is gone") from None
        except PermissionError:
            raise ConfigError(f"{file.name}: this user may not read the file; change its permissions") from None
        except OSError as error:
            raise TransientError(f"{file.name}: {error.strerror}") from None
        opened = FolderFile(file.name, descriptor)
        try:
            self._require_own(path, file, os.fstat(descriptor))
        except BaseException:
            opened.close()
            raise
        return opened

    def _require_own(self, path: Path, file: FoundFile, found: os.stat_result) -> None:
        """Refuse a link out of the folder: anyone who may write there could have any file of this user sent.

        Raises:
            ConfigError: `path` leads out of the folder.
            TransientError: the file was replaced since it was found or opened.
        """
        target = Path(os.path.realpath(path))
        if not target.is_relative_to(os.path.realpath(self._base)):
            raise ConfigError(
                f"{file.name} is a link to a file outside of {self._base}; put the file itself there, or name its "
                "folder"
            )
        with _outages(file.name):
            same = os.path.samestat(target.stat(), found) and stat.S_ISREG(found.st_mode)
        if not same or not file.file_id.endswith(f"#{found.st_ino}"):
            raise TransientError(f"{file.name} was replaced by another file")

    def _name(self, path: Path) -> str:
        """The path, with escapes for bytes that are not UTF-8, which no checkpoint and no letter can hold."""
        name = os.fsencode(path).decode(errors="backslashreplace")
        if name != str(path):
            self._odd[name] = path
        return name


class FolderFile:
    """Implements `core.producing.RawFile`. It is read to its end even if it is renamed or deleted meanwhile."""

    finished = False

    def __init__(self, name: str, descriptor: int) -> None:
        self._name = name
        self._descriptor = descriptor
        self._last = b""
        self._seen = ""
        self.position = 0

    def state(self) -> tuple[str, int]:
        """See `RawFile`."""
        with _outages(self._name):
            found = os.fstat(self._descriptor)
        self._seen = _stamp(found)
        return self._seen, found.st_size

    def read(self, size: int) -> bytes:
        """See `RawFile`."""
        with _outages(self._name):
            data = os.pread(self._descriptor, size, self.position)
        self.position += len(data)
        self._last = (self._last + data)[-_COMPARED:]
        return data

    def changed(self) -> bool:
        """See `RawFile`."""
        with _outages(self._name):
            found = os.fstat(self._descriptor)
            if found.st_size == self.position and _stamp(found) != self._seen:
                return True  # it was written to, but has not grown
            return os.pread(self._descriptor, len(self._last), self.position - len(self._last)) != self._last

    def close(self) -> None:
        """See `RawFile`."""
        os.close(self._descriptor)


def open_folder(place: str, setting: str) -> FolderSource:
    """The files of a folder, or those that match a pattern.

    Raises:
        ConfigError: there is no such folder; the message names `setting`.
    """
    path = expand_home(place).absolute()
    pattern = path / "*" if path.is_dir() else path
    base = pattern.parent
    while glob.has_magic(str(base)):
        base = base.parent
    if not base.is_dir():
        raise ConfigError(f"{setting}: there is no folder {base}; create it, or mount it")
    return FolderSource(base, str(pattern.relative_to(base)))


def _stamp(found: os.stat_result) -> str:
    return f"{found.st_ino}:{found.st_size}:{found.st_mtime_ns}"


@contextmanager
def _outages(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TransientError(f"{name}: {error.strerror}") from None
