"""What the producer service knows of files: where it finds them, how far they are sent, and who reads them.

A file is known by its id, which outlives a rename, and by its content: a checkpoint holds for a file that begins with
the bytes that were sent of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol

from msgspec import Struct

#: Length of the beginning by which a copy of a file is sought, in bytes.
HEAD_BYTES: Final = 1_024


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
        """Whether this file can't grow: an object."""
        ...

    def state(self) -> tuple[str, int]:
        """Stamp and size of the file now."""
        ...

    def read(self, size: int) -> bytes:
        """The next bytes, `size` at most; empty at the end, which may move later.

        Raises:
            TransientError: the file can't be read for now, or is another one by now.
        """
        ...

    def changed(self) -> bool:
        """Whether the file was written since `state`, and not by appending: other bytes may be where some were read."""
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
    """How far a file is sent. Positions count bytes of its content, which gzip may have packed.

    Attributes:
        file_id: of the file.
        name: of the file when this was written.
        stamp: of the file when everything that could be taken of it was sent; empty while there is more.
        position: bytes that were sent, rejected or skipped; the next one begins a line.
        lines: number of lines in them.
        rows: number of a CSV's rows in them.
        digest: of these bytes.
        head: digest of the first `HEAD_BYTES`, or empty while `position` is below.
        last_line: digest of the line behind `position` that was sent although it has no line break.
        left: bytes behind `position` that are no whole line, when everything else was sent.
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

        Returns the file's checkpoint, which is `new` if it had none.
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
        """Say that this task lives until a time. Returns the number of living tasks, this one included."""
        ...

    def leave(self, owner: str) -> None:
        """Say that this task ends."""
        ...
