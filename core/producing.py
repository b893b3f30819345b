"""The types of the producer service: files and their sources, checkpoints and leases.

A file is identified by its id, which outlives a rename, and by its content: a checkpoint is valid for a file that
begins with the bytes that were sent.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol

from msgspec import Struct

#: Length in bytes of a file's beginning, by which its copies are found.
HEAD_BYTES: Final = 1_024
#: A lease that ends so much later than a new one was taken by a wrong clock, and keeps nobody out. In milliseconds.
MAX_AHEAD_MS: Final = 3_600_000


class FoundFile(Struct, frozen=True):
    """A file as a source lists it.

    Attributes:
        file_id: the same for all tasks, and after a rename.
        name: its path, or s3://bucket/key.
        stamp: changes with the content.
        size: in bytes.
        modified_ms: time of the last change, in ms since 1970.
    """

    file_id: str
    name: str
    stamp: str
    size: int
    modified_ms: int


class RawFile(Protocol):
    """An open file."""

    @property
    def position(self) -> int:
        """Bytes read so far."""
        ...

    @property
    def finished(self) -> bool:
        """Whether this file can't grow, because it is an object."""
        ...

    def state(self) -> tuple[str, int]:
        """The current stamp and size of the file."""
        ...

    def read(self, size: int) -> bytes:
        """The next bytes, `size` at most; empty at the end, even if the file grows later.

        Raises:
            TransientError: the file can't be read for now, or is another one by now.
        """
        ...

    def changed(self) -> bool:
        """Whether the file was overwritten since `state`, so that bytes already read may differ."""
        ...

    def close(self) -> None: ...


class Source(Protocol):
    """A folder or a bucket."""

    def files(self) -> Iterator[FoundFile]:
        """All files.

        Raises:
            TransientError: the source can't be listed for now.
            FatalError: it refuses.
        """
        ...

    def open(self, file: FoundFile) -> RawFile:
        """Open a file at its beginning.

        Raises:
            TransientError: the file is gone or is another one by now, or can't be read for now.
            ConfigError: this process may not read the file.
        """
        ...


class Checkpoint(Struct, frozen=True, kw_only=True):
    """How far a file has been sent. Positions count bytes of its content, after unpacking.

    Attributes:
        file_id: the file's id.
        name: the file's name when this was written.
        stamp: the file's stamp when all of its complete lines had been sent; empty while there are more.
        position: number of bytes that were sent, rejected or skipped; a line begins behind them.
        lines: number of lines in these bytes.
        rows: number of a CSV's rows in these bytes.
        digest: of these bytes.
        head: digest of the first `HEAD_BYTES`, or empty while `position` is below.
        last_line: digest of the line behind `position`, if it was sent without its line break.
        left: number of bytes of an incomplete line behind `position`, once everything else was sent.
        first_ms: when the file was last modified before it was first read, in ms since 1970. Stands for times that a
            CSV lacks, so that a row always gives the same record.
        saved_ms: when this was written, in ms since 1970.
    """

    file_id: str
    name: str
    first_ms: int
    stamp: str = ""
    position: int = 0
    lines: int = 0
    rows: int = 0
    digest: str = ""
    head: str = ""
    last_line: str = ""
    left: int = 0
    saved_ms: int = 0


class Lease(Struct, frozen=True):
    """A file's checkpoint, and the task that may read the file until a time, in ms since 1970."""

    checkpoint: Checkpoint
    owner: str
    until_ms: int


class Checkpoints(Protocol):
    """Checkpoints and leases, which all tasks share.

    Every method raises `TransientError` if the store is unavailable, and `FatalError` if it refuses.
    """

    def load(self) -> Mapping[str, Lease]:
        """All files, by id. May be some moments old."""
        ...

    def claim(self, new: Checkpoint, owner: str, *, now_ms: int, until_ms: int) -> Checkpoint | None:
        """Take or extend the lease of a file. None while another task has it.

        Returns the file's checkpoint, which is `new` if it had none. A lease that ends more than `MAX_AHEAD_MS` after
        `until_ms` is taken.
        """
        ...

    def save(self, checkpoint: Checkpoint, owner: str) -> bool:
        """Write a checkpoint, durably on return. False, and nothing is written, if `owner` has lost the lease."""
        ...

    def release(self, file_id: str, owner: str) -> None:
        """Give a lease back, if `owner` has it."""
        ...

    def forget(self, file_ids: Sequence[str], *, now_ms: int) -> None:
        """Remove files, apart from those that are leased."""
        ...

    def join(self, owner: str, *, now_ms: int, until_ms: int) -> int:
        """Register this task as alive until a time. Returns the number of living tasks, this one included."""
        ...

    def leave(self, owner: str) -> None:
        """Unregister this task."""
        ...
