"""A file of the archive: gzip of JSON lines: a header, the records, and a summary of the contents.

gzip, because common tools and Python read it. A file is first written to a temporary one on disk, so memory doesn't
grow with its size.
"""

import gzip
import hashlib
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, BinaryIO, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from archive.lines import FORMAT, Header, decode_record, encode_record
from core.errors import FatalError
from core.records import Record

_T = TypeVar("_T", bound=Struct)

#: A file with this many gaps ends, which bounds the manifest.
MAX_GAPS: Final = 1_000
#: A record has 64 MiB at most, and JSON may take six bytes for one.
_MAX_LINE: Final = 512 * 2**20
_CHUNK: Final = 2**20

#: Milliseconds from 1970 to 9999-12-31T23:59:59.999Z.
_Time = Annotated[int, Meta(ge=0, le=253_402_300_799_999)]


class Gap(Struct, frozen=True):
    """Offsets that have no record.

    Attributes:
        first: the first of them.
        last: the last of them.
        reason: expired: deleted from the log before they were read. empty: compacted, or a transaction's marker.
    """

    first: int
    last: int
    reason: Literal["expired", "empty"]


class Entry(Struct, frozen=True):
    """A file, as the manifest lists it.

    Attributes:
        first: the offset that it begins at, the `next` of the file before it.
        next: the offset after it.
        records: number of records.
        bytes: its size, compressed.
        sha256: of the file, in hexadecimal.
        written_ms: when it was closed.
        gaps: the offsets from `first` to `next` that have no record.
    """

    first: int
    next: int
    records: int
    bytes: int
    sha256: str
    written_ms: _Time
    gaps: tuple[Gap, ...] = ()

    @property
    def expired(self) -> int:
        """Number of offsets whose records were deleted before they were read."""
        return sum(gap.last - gap.first + 1 for gap in self.gaps if gap.reason == "expired")


class Contents(Struct, frozen=True):
    """Last line of a file: the entry, without what depends on the file's bytes."""

    next: int
    records: int
    written_ms: _Time
    gaps: tuple[Gap, ...] = ()


class DamagedError(FatalError):
    """An object of the archive is damaged, or isn't part of it. The message names it and says what is wrong."""


class Sealed(Struct, frozen=True):
    """A complete file that is still on this machine."""

    entry: Entry
    file: BinaryIO


class Draft:
    """A file that is being written."""

    def __init__(self, header: Header, *, folder: Path | None = None, now_ms: Callable[[], int] | None = None) -> None:
        """`folder` has the temporary file, by default the system's. It has no name, so a kill leaves nothing."""
        self._now_ms = now_ms or (lambda: int(time.time() * 1000))
        self._file: BinaryIO = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - see close
        self._zip = gzip.GzipFile(filename="", mode="wb", fileobj=self._file, compresslevel=6, mtime=0)
        self._first = header.first
        self._gaps: list[Gap] = []
        self._records = 0
        #: The offset after the last record.
        self.next = header.first
        self._write(msgspec.json.encode(header))

    @property
    def size(self) -> int:
        """Bytes written so far; the compressor still holds some."""
        return self._file.tell()

    @property
    def full_of_gaps(self) -> bool:
        """Whether it has as many gaps as a file may have."""
        return len(self._gaps) >= MAX_GAPS

    def add(self, record: Record, *, log_start: int) -> None:
        """Add the next record. `log_start`: the log's first offset by now; records before it have expired."""
        offset = record.origin.offset
        begin = min(max(self.next, log_start), offset)
        if self.next < begin:
            self._gaps.append(Gap(self.next, begin - 1, "expired"))
        if begin < offset:
            self._gaps.append(Gap(begin, offset - 1, "empty"))
        self._write(encode_record(record))
        self._records += 1
        self.next = record.next_offset

    def seal(self) -> Sealed:
        """Complete the file."""
        contents = Contents(self.next, self._records, self._now_ms(), tuple(self._gaps))
        self._write(msgspec.json.encode(contents))
        self._zip.close()
        return Sealed(_entry(self._first, contents, self._file), self._file)

    def close(self) -> None:
        """Delete the temporary file."""
        with suppress(OSError):
            self._zip.close()
        self._file.close()

    def _write(self, line: bytes) -> None:
        self._zip.write(line + b"\n")


def describe(file: BinaryIO, where: str) -> tuple[Header, Entry]:
    """The header of a file, and the entry that a manifest has for it. Reads all of the file.

    Raises:
        DamagedError: it is not a complete file of the archive. `where` names it.
    """
    lines = _lines(file, where)
    header = _header(next(lines, b""), where)
    last, records = b"", -1
    for line in lines:
        last, records = line, records + 1
    contents = _decode(last, Contents, where)
    if records != contents.records:
        raise DamagedError(
            f"{where} is damaged: it has {records:,} records, but says that it has {contents.records:,}; restore it "
            "from a copy"
        )
    if contents.next <= header.first:
        raise DamagedError(
            f"{where} is damaged: it ends at offset {contents.next}, where it begins; restore it from a copy"
        )
    return header, _entry(header.first, contents, file)


def read_records(file: BinaryIO, entry: Entry, where: str) -> Iterator[Record]:
    """The records of a file, whose checksum is verified before the first.

    Raises:
        DamagedError: it is not the file of the entry.
    """
    found, size = _checksum(file)
    if found != entry.sha256:
        raise DamagedError(
            f"{where} is damaged: its {size:,} bytes don't have the checksum of the {entry.bytes:,} bytes that the "
            "manifest lists; restore it from a copy"
        )
    lines = _lines(file, where)
    header = _header(next(lines, b""), where)
    try:
        for number, line in enumerate(lines):
            if number < entry.records:
                yield decode_record(line, header.log.topic, header.partition)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DamagedError(f"{where} has a line that is not a record: {error}; restore it from a copy") from None


def _entry(first: int, contents: Contents, file: BinaryIO) -> Entry:
    sha256, size = _checksum(file)
    return Entry(first, contents.next, contents.records, size, sha256, contents.written_ms, contents.gaps)


def _checksum(file: BinaryIO) -> tuple[str, int]:
    file.seek(0)
    found = hashlib.sha256()
    while data := file.read(_CHUNK):
        found.update(data)
    return found.hexdigest(), file.tell()


def _lines(file: BinaryIO, where: str) -> Iterator[bytes]:
    file.seek(0)
    try:
        with gzip.GzipFile(fileobj=file, mode="rb") as unzipped:
            while line := unzipped.readline(_MAX_LINE):
                yield line
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise DamagedError(f"{where} is damaged: it is cut off or not a gzip file; restore it from a copy") from None


def _header(line: bytes, where: str) -> Header:
    header = _decode(line, Header, where)
    if header.format != FORMAT:
        raise DamagedError(f"{where} has format {header.format}; use the version of ticketstream that wrote it")
    return header


def _decode(line: bytes, kind: type[_T], where: str) -> _T:
    try:
        return msgspec.json.decode(line, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise DamagedError(f"{where} is not a complete file of the archive; move it away") from None
