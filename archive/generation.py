"""One generation of a topic in the archive, for reading: the records from its creation to its deletion."""

import tempfile
from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import msgspec
from msgspec import Struct

from archive.files import DamagedError, Entry, describe, read_records
from archive.layout import data_file, generation_of, log_file, offset_in, partition_folder, partition_in
from archive.manifest import Manifest
from archive.store import ArchiveStore
from core.provenance import LogIdentity
from core.records import Record


class Held(Struct, frozen=True):
    """The files of a partition, in order.

    Attributes:
        entries: all but those whose objects are gone.
        begins: the offset of the first of them; what was before it has been deleted from the archive.
        next: the offset after the last.
    """

    entries: Sequence[Entry]
    begins: int
    next: int

    @property
    def missing(self) -> int:
        """Offsets whose records the archive no longer has, or never got."""
        holes = sum(after.first - before.next for before, after in pairwise(self.entries))
        return self.begins + holes + sum(entry.expired for entry in self.entries)

    @property
    def records(self) -> int:
        """Number of records."""
        return sum(entry.records for entry in self.entries)


class Generation:
    """The files of one log."""

    def __init__(self, store: ArchiveStore, name: str, *, spool: Path | None = None) -> None:
        """`name` is the folder. `spool` has the temporary files, by default the system's folder."""
        self.store = store
        self.name = name
        self._spool = spool

    def partitions(self) -> list[int]:
        """Numbers of the partitions."""
        return [number for name in self.store.folders(self.name) if (number := partition_in(name)) is not None]

    def folder(self, partition: int) -> str:
        """Folder of a partition."""
        return partition_folder(self.name, partition)

    def manifest(self, partition: int) -> Manifest:
        """Manifest of a partition."""
        return Manifest(self.store, self.folder(partition))

    def stored(self, partition: int) -> list[str]:
        """Names of the objects beside the manifest, in order, foreign ones included."""
        return list(self.store.names(f"{self.folder(partition)}/data/"))

    def held(self, partition: int) -> Held:
        """The files of a partition.

        Raises:
            DamagedError: a file or a part of the manifest is missing elsewhere than at the beginning.
        """
        entries = list(self.manifest(partition).entries())
        offsets = {offset_in(name) for name in self.stored(partition)}
        while entries and entries[0].first not in offsets:
            del entries[0]
        next_ = entries[0].first if entries else 0
        for entry in entries:
            where = self.store.where(data_file(self.folder(partition), entry.first))
            if entry.first != next_:
                raise DamagedError(
                    f"the manifest of {where} lists no file of offsets {next_} to {entry.first - 1}; restore the "
                    "manifest from a copy"
                )
            if entry.first not in offsets:
                raise DamagedError(f"{where} is missing; restore it from a copy")
            next_ = entry.next
        return Held(entries, entries[0].first if entries else 0, next_)

    def copied(self, partition: int) -> Held:
        """The files of a partition in a copy of the archive, which has objects in any order until it is complete.

        Files may be missing anywhere, and the manifest may not list all that are there.

        Raises:
            DamagedError: a file or a part of the manifest is damaged, or a file is of another log.
        """
        listed = {entry.first: entry for entry in self.manifest(partition).entries()}
        offsets = sorted(offset for name in self.stored(partition) if (offset := offset_in(name)) is not None)
        entries = [listed.get(offset) or self._described(partition, offset) for offset in offsets]
        return Held(entries, entries[0].first if entries else 0, entries[-1].next if entries else 0)

    def _described(self, partition: int, first: int) -> Entry:
        name = data_file(self.folder(partition), first)
        where = self.store.where(name)
        with tempfile.TemporaryFile(dir=self._spool) as file:
            if not self.store.fetch(name, file):
                raise DamagedError(f"{where} is missing; restore it from a copy")
            header, entry = describe(file, where)
        if (generation_of(header.log), header.partition, header.first) != (self.name, partition, first):
            raise DamagedError(f"{where} belongs to {generation_of(header.log)}[{header.partition}]; move it away")
        return entry

    def records(self, partition: int, entries: Sequence[Entry], *, start: int = 0) -> Iterator[Record]:
        """The records of these files from offset `start` on.

        Raises:
            DamagedError: a file is missing or damaged. Its records are not returned then.
        """
        for entry in entries:
            if entry.next > start:
                for record in self.read(partition, entry):
                    if record.next_offset > start:
                        yield record

    def read(self, partition: int, entry: Entry) -> Iterator[Record]:
        """The records of a file.

        Raises:
            DamagedError: it is missing or damaged. None of its records is returned then.
        """
        name = data_file(self.folder(partition), entry.first)
        with tempfile.TemporaryFile(dir=self._spool) as file:
            if not self.store.fetch(name, file):
                raise DamagedError(f"{self.store.where(name)} is missing; restore it from a copy")
            yield from read_records(file, entry, self.store.where(name))


def begin_generation(store: ArchiveStore, log: LogIdentity) -> None:
    """Note the log that a generation is of, unless it is noted already."""
    store.create(log_file(generation_of(log)), BytesIO(msgspec.json.encode(log) + b"\n"))


def find_generations(store: ArchiveStore, topic: str, *, spool: Path | None = None) -> list[Generation]:
    """All generations of a topic."""
    return [Generation(store, f"{topic}/{name}", spool=spool) for name in store.folders(topic)]
