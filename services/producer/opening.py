"""Opens each file behind the lines that were sent."""

import time
from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct, structs

from connectors.files.tail import NewParser, Tail, head_of, open_tail
from core.producing import Checkpoint, FoundFile, Source

#: The maximum number of checkpoints with the same beginning that are tried.
_MAX_COPIES: Final = 3


class OpenFile(Struct, eq=False):
    """A file that this task reads.

    Attributes:
        checkpoint: the one in the store.
        grown_at: when lines were last read from it, by the producer's clock.
        at_end: the last attempt found no further line.
    """

    found: FoundFile
    tail: Tail
    checkpoint: Checkpoint
    grown_at: float
    at_end: bool = False


def new_checkpoint(file: FoundFile) -> Checkpoint:
    """The checkpoint of a file from which nothing has been sent."""
    return Checkpoint(file_id=file.file_id, name=file.name, first_ms=file.modified_ms)


class FileReader(Struct, frozen=True, eq=False):
    """Opens files. Lines longer than `max_line_bytes` are rejected; `clock` is the producer's."""

    new_parser: NewParser
    max_line_bytes: int
    clock: Callable[[], float] = time.monotonic

    def open(
        self,
        source: Source,
        file: FoundFile,
        checkpoint: Checkpoint,
        known: Iterable[Checkpoint],
        *,
        tick: Callable[[], None] = lambda: None,
    ) -> OpenFile:
        """Open a file behind the lines that were sent, which are read again and compared. Calls `tick` meanwhile.

        If the bytes before the checkpoint differ, the file was replaced. It may then be a copy or a longer version of
        a file in `known`; otherwise it is read from its beginning.

        Raises:
            TransientError: the file can't be read for now, or is another one by now.
            ConfigError: it can't be read as a whole.
        """
        checkpoint = structs.replace(checkpoint, name=file.name)
        if checkpoint.position and (opened := self._try(source, file, checkpoint, tick)) is not None:
            return opened
        for copy in _copies(source, file, known):
            if (opened := self._try(source, file, copy, tick)) is not None:
                return opened
        opened = self._try(source, file, new_checkpoint(file) if checkpoint.position else checkpoint, tick)
        assert opened is not None  # noqa: S101 - nothing has to be skipped
        return opened

    def _try(
        self, source: Source, file: FoundFile, checkpoint: Checkpoint, tick: Callable[[], None]
    ) -> OpenFile | None:
        raw = source.open(file)
        tail = None
        try:
            tail = open_tail(raw, checkpoint, self.new_parser, max_line_bytes=self.max_line_bytes, tick=tick)
        finally:
            if tail is None:
                raw.close()
        return None if tail is None else OpenFile(file, tail, checkpoint, grown_at=self.clock())


def _copies(source: Source, file: FoundFile, known: Iterable[Checkpoint]) -> list[Checkpoint]:
    """The checkpoints at which the file may continue as a copy of one with the same beginning, furthest first."""
    by_head = [one for one in known if one.head and one.file_id != file.file_id]
    if not by_head:
        return []
    raw = source.open(file)
    try:
        head = head_of(raw, file.name)
    finally:
        raw.close()
    copies = sorted((one for one in by_head if one.head == head), key=lambda one: -one.position)[:_MAX_COPIES]
    return [structs.replace(one, file_id=file.file_id, name=file.name, stamp="", left=0) for one in copies]
