"""The manifest of a partition: its files in order, in parts of a hundred.

A part is replaced only if it is still the one that was read, so two archivers can't undo each other's entries.
"""

import io
from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from archive.files import DamagedError, Entry
from archive.layout import manifest_file, offset_in
from archive.store import ArchiveStore
from core.errors import TransientError

#: Files of a part. It is written again for each of them.
_PART: Final = 100
_ATTEMPTS: Final = 20

_decoder: Final = msgspec.json.Decoder(Entry)


class _Part(Struct, frozen=True):
    """The last part; `version` is None if there is none yet."""

    name: str
    entries: tuple[Entry, ...] = ()
    version: str | None = None

    @property
    def next(self) -> int:
        return self.entries[-1].next if self.entries else 0


class Manifest:
    """The manifest of the partition in `folder`."""

    def __init__(self, store: ArchiveStore, folder: str) -> None:
        self._store = store
        self._folder = folder
        self._last: _Part | None = None

    def position(self) -> int:
        """The offset after those that it lists; reads the manifest again."""
        self._last = self._read_last()
        return self._last.next

    def entries(self) -> Iterator[Entry]:
        """All files, in order of their offsets; parts that are missing are left out.

        Raises:
            DamagedError: a part is damaged.
        """
        for name in self._parts():
            yield from self._read(name).entries

    def foreign(self) -> list[str]:
        """Names of objects that are not part of it."""
        return [name for name in self._store.names(f"{self._folder}/manifest/") if offset_in(name) is None]

    def append(self, entry: Entry) -> None:
        """List a file. Idempotent: another archiver may have listed it.

        Raises:
            DamagedError: the manifest lists another file in its place, or doesn't end where it begins.
            TransientError: others keep changing the manifest.
        """
        for _ in range(_ATTEMPTS):
            last = self._last or self._read_last()
            if last.next > entry.first:
                self._require_listed(entry)
                return
            if last.next < entry.first:
                raise DamagedError(
                    f"{self._where(last.name)} ends at offset {last.next}, before {entry.first}; restore the manifest "
                    "from a copy"
                )
            if self._write(last, entry):
                return
            self._last = None
        raise TransientError(f"{self._where(manifest_file(self._folder, entry.first))} keeps changing")

    def _write(self, last: _Part, entry: Entry) -> bool:
        if last.version is None or len(last.entries) >= _PART:
            part = _Part(manifest_file(self._folder, entry.first), (entry,))
            self._last = None
            return self._store.create(part.name, io.BytesIO(_encode(part.entries)))
        self._last = None
        return self._store.replace(last.name, _encode((*last.entries, entry)), last.version)

    def _require_listed(self, entry: Entry) -> None:
        names = [name for name in self._parts() if (offset_in(name) or 0) <= entry.first]
        if entry not in (self._read(names[-1]).entries if names else ()):
            raise DamagedError(
                f"the manifest in {self._where(self._folder)} lists another file at offset {entry.first} than the one "
                "that is stored there; `ticketstream archive verify` says more"
            )

    def _parts(self) -> list[str]:
        return [name for name in self._store.names(f"{self._folder}/manifest/") if offset_in(name) is not None]

    def _read_last(self) -> _Part:
        names = self._parts()
        return self._read(names[-1]) if names else _Part(manifest_file(self._folder, 0))

    def _read(self, name: str) -> _Part:
        found = self._store.read(name)
        if found is None:
            raise TransientError(f"{self._where(name)} has just disappeared")
        try:
            entries = tuple(_decoder.decode(line) for line in found.data.splitlines())
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DamagedError(f"{self._where(name)} is damaged: {error}; restore it from a copy") from None
        if not entries or entries[0].first != offset_in(name):
            raise DamagedError(
                f"{self._where(name)} doesn't begin with the file that it is named after; restore it from a copy"
            )
        return _Part(name, entries, found.version)

    def _where(self, name: str) -> str:
        return self._store.where(name)


def _encode(entries: tuple[Entry, ...]) -> bytes:
    return b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)
