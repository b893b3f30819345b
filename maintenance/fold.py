"""The log folded: which version of each ticket the index should hold, and which record says so."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Final

from msgspec import Struct

from core.contract import record_key
from core.records import Record, Rejected, Ticket, TicketPoints

#: Records decoded at once.
_BATCH: Final = 512

#: A partition and an offset in it.
Place = tuple[int, int]
#: Reads records of a log: `operators.decode.decode` or `operators.receive.receive_embedded`, settings bound.
Decode = Callable[[Sequence[Record]], Sequence[Ticket | TicketPoints | Rejected]]


class Entry(Struct, gc=False):
    """The record that won: the highest version, of equal ones the first. `seen`: the index was found to know it."""

    version: int
    partition: int
    offset: int
    deleted: bool
    seen: bool = False


class Fold:
    """A fold of the log by ticket, its key a record's key. It takes 220 MB for a million tickets."""

    def __init__(self, *, decode: Decode) -> None:
        """Begin empty. `decode` is the operator that reads the topic's records, with the worker's settings."""
        self._decode = decode
        self._refused: set[Place] = set()
        self._set_aside: defaultdict[bytes, set[int]] = defaultdict(set)
        self.tickets: dict[bytes, Entry] = {}
        self.records = 0
        self.unusable = 0
        #: Offset next to read, by partition.
        self.positions: dict[int, int] = {}

    def read(self, records: Iterable[Record]) -> int:
        """Add records, in the order of their partitions; how many there were."""
        before, left = self.records, iter(records)
        while batch := list(islice(left, _BATCH)):
            self._add(batch)
        return self.records - before

    def refuse(self, places: Iterable[Place]) -> None:
        """Note records that decode and that a later step has dead-lettered all the same: read from now on, none wins.

        One that has won already still does, and `doubtful` says so: which record it beat is not remembered.
        """
        self._refused.update(places)

    def doubtful(self, entry: Entry) -> bool:
        """Whether `entry` names a record that is dead-lettered."""
        return (entry.partition, entry.offset) in self._refused

    def may_hold(self, key: bytes, version: int) -> bool:
        """Whether a record that is dead-lettered gave the ticket this version.

        The index may hold it rightly: a worker that died before its commit, or a mended one, has read it again.
        """
        return version in self._set_aside.get(key, ())

    def wins(self, record: Record) -> bool:
        """Whether `record` is the one that its ticket's entry names. The key names the ticket: decoding made sure."""
        entry = self.tickets.get(record.key or b"")
        return entry is not None and (entry.partition, entry.offset) == place(record)

    def _add(self, batch: Sequence[Record]) -> None:
        items = self._decode(batch)
        for record, item in zip(batch, items, strict=True):
            self.records += 1
            self.positions[record.origin.partition] = record.origin.offset + 1
            if isinstance(item, Rejected):
                self.unusable += 1
            elif place(record) in self._refused:
                self.unusable += 1
                self._set_aside[record_key(item.tenant_id, item.ticket_id)].add(item.version)
            else:
                self._note(item, place(record))

    def _note(self, ticket: Ticket | TicketPoints, lies: Place) -> None:
        key = record_key(ticket.tenant_id, ticket.ticket_id)
        entry = self.tickets.get(key)
        if entry is None:
            self.tickets[key] = Entry(ticket.version, *lies, ticket.deleted)
        elif entry.version < ticket.version:
            entry.version, entry.deleted = ticket.version, ticket.deleted
            entry.partition, entry.offset = lies


def place(record: Record) -> Place:
    """Where it lies in its topic."""
    return record.origin.partition, record.origin.offset


def ids(key: bytes) -> tuple[str, str]:
    """Tenant and ticket of a record's key."""
    tenant_id, _slash, ticket_id = key.decode().partition("/")
    return tenant_id, ticket_id
