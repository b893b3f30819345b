"""Verifies an archive: every checksum, every line, and that no offset is missing or stored twice."""

from collections.abc import Iterator

from archive.files import DamagedError, Entry
from archive.generation import Generation
from archive.layout import data_file, offset_in


def verify(generation: Generation, partition: int, *, expired_is_fine: bool = False) -> Iterator[str]:
    """The faults of a partition, one line each. Reads all of its files.

    Args:
        generation: of the topic.
        partition: its number.
        expired_is_fine: accept that the first files are gone, as after a lifecycle rule.
    """
    name = f"{generation.name}[{partition}]"
    for foreign in generation.manifest(partition).foreign():
        yield f"{generation.store.where(foreign)} is not part of the archive; move it away"
    try:
        entries = list(generation.manifest(partition).entries())
    except DamagedError as error:
        yield str(error)
        return
    yield from _check_stored(generation, partition, entries)
    yield from _check_chain(name, entries)
    offsets = {offset_in(stored) for stored in generation.stored(partition)}
    gone = 0
    while gone < len(entries) and entries[gone].first not in offsets:
        gone += 1
    if gone and not expired_is_fine:
        last = entries[gone - 1].next - 1
        yield f"{name}: its first {gone:,} file(s) are gone, with offsets 0 to {last}; --expired accepts that"
    for entry in entries[gone:]:
        yield from _check_file(generation, partition, entry)


def _check_stored(generation: Generation, partition: int, entries: list[Entry]) -> Iterator[str]:
    listed = {entry.first for entry in entries} | {entries[-1].next if entries else 0}
    for stored in generation.stored(partition):
        where, offset = generation.store.where(stored), offset_in(stored)
        if offset is None:
            yield f"{where} is not part of the archive; move it away"
        elif offset not in listed:
            yield f"{where} is not listed in the manifest; if files before it are listed, move it away"
        elif not entries:
            yield f"{where} is not listed: the manifest is missing; the archiver lists the files again when it starts"


def _check_chain(name: str, entries: list[Entry]) -> Iterator[str]:
    next_ = 0
    for entry in entries:
        if entry.first > next_:
            yield f"{name}: offsets {next_} to {entry.first - 1} are missing: the manifest lists no file of them"
        elif entry.first < next_:
            yield f"{name}: offsets {entry.first} to {next_ - 1} are listed twice"
        next_ = entry.next


def _check_file(generation: Generation, partition: int, entry: Entry) -> Iterator[str]:
    where = generation.store.where(data_file(generation.folder(partition), entry.first))
    next_, covered, records = entry.first, sum(gap.last - gap.first + 1 for gap in entry.gaps), 0
    try:
        for record in generation.read(partition, entry):
            if record.origin.offset < next_:
                yield f"{where}: offset {record.origin.offset} comes after {next_ - 1}"
                return
            next_ = record.next_offset
            covered += next_ - record.origin.offset
            records += 1
    except DamagedError as error:
        yield str(error)
        return
    if (records, next_) != (entry.records, entry.next) or covered != entry.next - entry.first:
        yield f"{where} doesn't hold every offset from {entry.first} to {entry.next - 1} that it should"
