"""The expected index after a log, by the independent reading of the contract in `tests.reading`."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from core.records import Record
from tests.reading import read


class Expected(Struct, frozen=True):
    """A ticket of the fold, and the record that it comes from."""

    version: int
    deleted: bool
    record: Record


def fold(log: Iterable[Record]) -> dict[tuple[str, str], Expected]:
    """The highest version of each ticket, and the first record of that version."""
    held: dict[tuple[str, str], Expected] = {}
    for record in log:
        found = read(record)
        if found is None:
            continue
        known = held.get((found.tenant_id, found.ticket_id))
        if known is None or known.version < found.version:
            held[found.tenant_id, found.ticket_id] = Expected(found.version, found.deleted, record)
    return held


def winners(log: Iterable[Record]) -> list[Record]:
    """The records that make up the fold."""
    return [expected.record for expected in fold(log).values()]


def broken(log: Sequence[Record]) -> list[Record]:
    """The bad records, which belong in the dead-letter topic."""
    return [record for record in log if read(record) is None]
