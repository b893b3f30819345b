"""Compares the index with the fold of the log."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal

from msgspec import Struct

from core.contract import record_key
from core.index import IndexedTicket
from maintenance.fold import Entry, Fold, split_record_key
from maintenance.safety import is_implausible

#: missing: the index doesn't have the ticket. stale: it has an older version. resurrected: it shows a deleted ticket.
#: buried: it has a ticket as deleted that the same version in the log shows. ahead: it has a version higher than any in
#: the log. surplus: it shows a ticket that is not in the log.
DifferenceKind = Literal["missing", "stale", "resurrected", "buried", "ahead", "surplus"]

#: Kinds of difference that an expired or unreadable record may explain.
_UNPROVEN: Final = {"ahead", "surplus"}


class Difference(Struct, frozen=True):
    """A ticket with different versions in log and index. A version is None if the ticket is missing there."""

    kind: DifferenceKind
    tenant_id: str
    ticket_id: str
    log: int | None
    index: int | None


class Comparison:
    """Compares the index with the fold. Five reads in a fixed order avoid false differences while the stream runs.

    1. The log is read to its end. 2. The group's committed offsets are asked for. 3. The dead letters are read. 4. The
    index is read. 5. The rest of the log is read. A record committed at 2 is in the index at 4 or in the dead letters
    at 3, and everything in the index at 4 is in the log at 5.
    """

    def __init__(self, fold: Fold) -> None:
        self._fold = fold
        self._unlike: dict[bytes, IndexedTicket] = {}

    def add_indexed(self, tickets: Iterable[IndexedTicket]) -> None:
        """Add the tickets of the index."""
        for ticket in tickets:
            key = record_key(ticket.tenant_id, ticket.ticket_id)
            entry = self._fold.tickets.get(key)
            if entry is not None:
                entry.seen = True
            if entry is None or (entry.version, entry.deleted) != (ticket.version, ticket.deleted):
                self._unlike[key] = ticket

    def outcome(self, committed: Mapping[int, int], *, expired: int = 0, doubt: str | None = None) -> "Outcome":
        """The differences, and the tickets that are pending or unproven instead.

        A ticket is pending if its latest record is at or after its partition's offset in `committed`, or was
        dead-lettered while the log was read: the next comparison will ignore that record from the start.

        An incomplete log (`doubt` says why) doesn't contradict a ticket that it lacks. Neither does an unusable record
        of the ticket, unless so many records are unusable that the settings may be wrong.
        """
        plausible = not is_implausible(self._fold.unusable, self._fold.records)
        found: list[Difference] = []
        unproven: list[Difference] = []
        pending = 0
        for key, difference in self._all():
            entry = self._fold.tickets.get(key)
            unclear = plausible and difference.kind in _UNPROVEN and self._fold.is_unclear(key)
            if unclear or (doubt and (difference.kind in _UNPROVEN or difference.log == difference.index)):
                unproven.append(difference)
            elif entry is not None and difference.kind not in _UNPROVEN and self._is_early(entry, committed):
                pending += 1
            else:
                found.append(difference)
        return Outcome(tuple(found), pending, tuple(unproven), committed, expired, doubt)

    def _is_early(self, entry: Entry, committed: Mapping[int, int]) -> bool:
        return entry.offset >= committed.get(entry.partition, 0) or self._fold.is_dead_lettered(entry)

    def _all(self) -> Iterator[tuple[bytes, Difference]]:
        for key, ticket in self._unlike.items():
            entry = self._fold.tickets.get(key)
            kind = _kind(entry, ticket)
            if kind in {"ahead", "surplus"} and self._fold.index_may_have(key, ticket.version):
                continue
            if kind is not None:
                yield key, _difference(kind, key, entry, ticket)
        for key, entry in self._fold.tickets.items():
            if not entry.seen and key not in self._unlike:
                yield key, _difference("missing", key, entry, None)


class Outcome(Struct, frozen=True):
    """The result of a comparison.

    Attributes:
        pending: number of tickets whose latest record is not yet committed or was just dead-lettered.
        unproven: tickets that would be differences if the log were complete and every record usable.
        committed: the group's offsets before the index was read.
        expired: number of records before the log's present beginning.
        doubt: the reason to believe that the log lacks records; None if it is complete.
    """

    differences: tuple[Difference, ...]
    pending: int
    unproven: tuple[Difference, ...]
    committed: Mapping[int, int]
    expired: int
    doubt: str | None


def _kind(entry: Entry | None, ticket: IndexedTicket) -> DifferenceKind | None:
    if entry is None:
        return None if ticket.deleted else "surplus"  # a tombstone shows nothing
    if entry.version == ticket.version:
        if entry.either or entry.deleted == ticket.deleted:
            return None  # the contract leaves open which of two events with one version stays
        return "resurrected" if entry.deleted else "buried"
    if entry.version < ticket.version:
        return "ahead"
    return "resurrected" if entry.deleted and not ticket.deleted else "stale"


def _difference(kind: DifferenceKind, key: bytes, entry: Entry | None, ticket: IndexedTicket | None) -> Difference:
    log = None if entry is None else entry.version
    return Difference(kind, *split_record_key(key), log, None if ticket is None else ticket.version)
