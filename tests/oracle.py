"""What the index must hold after a log, by the plain reading of the contract in `tests.reading`."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from core.records import Record
from tests.reading import read


class Expected(Struct, frozen=True):
    """A ticket after the fold: `record` is the one that won."""

    version: int
    deleted: bool
    record: Record


def fold(log: Iterable[Record]) -> dict[tuple[str, str], Expected]:
    """The highest version of each ticket; of equal ones the first."""
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
    """The records the fold is made of."""
    return [expected.record for expected in fold(log).values()]


def broken(log: Sequence[Record]) -> list[Record]:
    """The records that belong in the dead-letter topic."""
    return [record for record in log if read(record) is None]
