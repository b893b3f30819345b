"""Writes a partition's files, each offset exactly once, even if others write them too and it is killed at any time.

The archive itself says where to go on: a file is named after the offset that it begins at, which is where the file
before it ends, and is created only if it doesn't exist. So the files are a chain with one successor each. An archiver
that finds its file there, written by another one or by itself before it was killed, takes that file for its own.
"""

import tempfile
from pathlib import Path

from archive.files import DamagedError, Draft, Entry, Sealed, describe
from archive.layout import data_file, generation_of, partition_folder
from archive.lines import FORMAT, Header
from archive.manifest import Manifest
from archive.store import ArchiveStore
from core.errors import TransientError
from core.failpoints import failpoint
from core.provenance import LogIdentity


class PartitionArchive:
    """One partition of one generation of a topic."""

    def __init__(self, store: ArchiveStore, log: LogIdentity, partition: int, *, spool: Path | None = None) -> None:
        """`spool` has the temporary files, by default the system's folder."""
        self._store = store
        self._log = log
        self._partition = partition
        self._spool = spool
        self._folder = partition_folder(generation_of(log), partition)
        self._manifest = Manifest(store, self._folder)

    def recover(self) -> int:
        """The offset to continue at. Lists files that a killed archiver has stored and not listed.

        Raises:
            DamagedError: the manifest or that file is damaged.
        """
        position = self._manifest.position()
        while (entry := self._stored(position)) is not None:
            self._manifest.append(entry)
            position = entry.next
        return position

    def draft(self, first: int) -> Draft:
        """A new file that begins at offset `first`."""
        return Draft(Header(FORMAT, self._log, self._partition, first), folder=self._spool)

    def write(self, sealed: Sealed) -> Entry:
        """Store and list a file. May be repeated after any error.

        Returns:
            The entry that the manifest has: that of another file if one was stored at the same offset before.
        """
        entry = sealed.entry
        sealed.file.seek(0)
        if not self._store.create(data_file(self._folder, entry.first), sealed.file):
            found = self._stored(entry.first)
            if found is None:
                raise TransientError(f"{self._store.where(data_file(self._folder, entry.first))} has just disappeared")
            entry = found
        failpoint("archive_stored")
        self._manifest.append(entry)
        failpoint("archive_listed")
        return entry

    def _stored(self, first: int) -> Entry | None:
        """The entry of the file that begins at `first`, or None if there is none."""
        name = data_file(self._folder, first)
        where = self._store.where(name)
        with tempfile.TemporaryFile(dir=self._spool) as file:
            if not self._store.fetch(name, file):
                return None
            header, entry = describe(file, where)
        if (header.log, header.partition, header.first) != (self._log, self._partition, first):
            raise DamagedError(
                f"{where} is of {header.log.topic}[{header.partition}] from offset {header.first} in topic "
                f"{header.log.topic_id}, so it doesn't belong there; move it away"
            )
        return entry
