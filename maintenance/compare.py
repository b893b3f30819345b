"""What the index holds beside what the log says it should."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from msgspec import Struct

from core.contract import record_key
from core.records import IndexedTicket
from maintenance.fold import Entry, Fold, ids

#: missing: the index doesn't know the ticket. stale: it has an older version. resurrected: it shows a deleted one.
#: ahead: it has a version above all in the log. surplus: it shows a ticket that the log doesn't know.
Kind = Literal["missing", "stale", "resurrected", "ahead", "surplus"]


class Difference(Struct, frozen=True):
    """A ticket in which log and index differ: the version that the log has, and the index's."""

    kind: Kind
    tenant_id: str
    ticket_id: str
    log: int | None
    index: int | None


class Comparison:
    """Made in five moments, each later than the one before, so that a stream in motion shows no false differences.

    The log is read to its end; the group's committed offsets are asked for; the dead letters are read; the index is
    read; the log's rest is read. What was committed before the dead letters and the index were read must be in one of
    them, and whatever is in the index must be in the log by then.
    """

    def __init__(self, fold: Fold) -> None:
        self._fold = fold
        self._unlike: dict[bytes, IndexedTicket] = {}
        self.indexed = 0

    def look(self, tickets: Iterable[IndexedTicket]) -> None:
        """Take what the index holds."""
        for ticket in tickets:
            self.indexed += 1
            key = record_key(ticket.tenant_id, ticket.ticket_id)
            entry = self._fold.tickets.get(key)
            if entry is not None:
                entry.seen = True
            if entry is None or entry.version != ticket.version:
                self._unlike[key] = ticket

    def outcome(self, committed: Mapping[int, int]) -> "Outcome":
        """The differences, but for records from `committed` on, by partition: their time has not come yet.

        Nor has that of a ticket whose winner was dead-lettered while the log was read: the next comparison knows it
        from the start.
        """
        found: list[Difference] = []
        pending = 0
        for key, difference in self._all():
            entry = self._fold.tickets.get(key)
            if entry is not None and difference.kind not in {"ahead", "surplus"} and self._is_early(entry, committed):
                pending += 1
            else:
                found.append(difference)
        return Outcome(tuple(found), pending)

    def _is_early(self, entry: Entry, committed: Mapping[int, int]) -> bool:
        return entry.offset >= committed.get(entry.partition, 0) or self._fold.doubtful(entry)

    def _all(self) -> Iterator[tuple[bytes, Difference]]:
        for key, ticket in self._unlike.items():
            entry = self._fold.tickets.get(key)
            kind = _kind(entry, ticket)
            if kind in {"ahead", "surplus"} and self._fold.may_hold(key, ticket.version):
                continue
            if kind is not None:
                yield key, _difference(kind, key, entry, ticket)
        for key, entry in self._fold.tickets.items():
            if not entry.seen and key not in self._unlike:
                yield key, _difference("missing", key, entry, None)


class Outcome(Struct, frozen=True):
    """What differs, and how many tickets' latest records the group has not committed yet, or has just refused."""

    differences: tuple[Difference, ...]
    pending: int

    def count(self, kind: Kind) -> int:
        """Differences of a kind."""
        return sum(difference.kind == kind for difference in self.differences)


def _kind(entry: Entry | None, ticket: IndexedTicket) -> Kind | None:
    if entry is None:
        return None if ticket.deleted else "surplus"  # a tombstone shows nothing
    if entry.version == ticket.version:
        return None  # of two events with one version the contract doesn't say which stays
    if entry.version < ticket.version:
        return "ahead"
    return "resurrected" if entry.deleted and not ticket.deleted else "stale"


def _difference(kind: Kind, key: bytes, entry: Entry | None, ticket: IndexedTicket | None) -> Difference:
    log = None if entry is None else entry.version
    return Difference(kind, *ids(key), log, None if ticket is None else ticket.version)
