"""The log folded to the latest version of each ticket: the expected contents of the index."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from msgspec import Struct

from core.contract import record_key
from core.errors import TicketstreamError
from core.records import Record, Rejected, Ticket, TicketPoints
from maintenance.batches import next_batch

#: Maximum records decoded at once.
_BATCH: Final = 512
#: Maximum bytes of a ticket's key.
_MAX_KEY: Final = 1_024
#: Maximum keys of unusable records in memory (some 150 MB). Beyond it, any ticket may have such a record.
_MAX_UNUSABLE: Final = 1_000_000

#: A partition, and an offset in it.
Position = tuple[int, int]
#: Reads records of a log: `operators.decode.decode` or `operators.receive.receive_embedded`, settings bound.
Decode = Callable[[Sequence[Record]], Sequence[Ticket | TicketPoints | Rejected]]


class Entry(Struct, gc=False):
    """The latest record of a ticket: the highest version, and the first record that has it.

    Attributes:
        either: an upsert and a delete share that version, so the index may have either.
        seen: the index has the ticket.
    """

    version: int
    partition: int
    offset: int
    deleted: bool
    either: bool = False
    seen: bool = False

    @property
    def position(self) -> Position:
        """The record's position in its topic."""
        return self.partition, self.offset


class Fold:
    """The latest record of each ticket, by record key. A million tickets take 220 MB."""

    def __init__(self, *, decode: Decode) -> None:
        """Begin empty. `decode` is the operator that reads the topic's records, with the worker's settings."""
        self._decode = decode
        self._dead_letters: set[Position] = set()
        self._dead_lettered: defaultdict[bytes, set[int]] = defaultdict(set)
        self.tickets: dict[bytes, Entry] = {}
        self._unusable_keys: set[bytes] = set()
        self.records = 0
        self.unusable = 0
        #: Number of records in each damaged batch, by its position. They can't be read, so their tickets are unknown.
        self.lost_batches: dict[Position, int] = {}
        #: The offset to read next, by partition.
        self.next_offsets: dict[int, int] = {}

    @property
    def lost(self) -> int:
        """Number of records that can't be read."""
        return sum(self.lost_batches.values())

    def lost_since(self, letters: Iterable[Position]) -> int:
        """Number of records that could be read once: a batch that no worker could read is one of the `letters`."""
        never = frozenset(letters)
        return sum(count for position, count in self.lost_batches.items() if position not in never)

    def read(self, records: Iterable[Record]) -> int:
        """Add records; those of each partition must be in offset order. Returns their number."""
        before, left = self.records, iter(records)
        while batch := next_batch(left, _BATCH):
            self._add(batch)
        return self.records - before

    def ignore(self, positions: Iterable[Position]) -> None:
        """Ignore the records at `positions`, which a step after decode dead-lettered, when they are read.

        A record that was already read stays the latest of its ticket, because earlier ones are not kept;
        `is_dead_lettered` detects it.
        """
        self._dead_letters.update(positions)

    def is_dead_lettered(self, entry: Entry) -> bool:
        """Whether a ticket's latest record was dead-lettered after it was read."""
        return entry.position in self._dead_letters

    def index_may_have(self, key: bytes, version: int) -> bool:
        """Whether the ticket has this version in a record that was dead-lettered.

        The index may hold it legitimately: a restarted or fixed worker may have read the record again.
        """
        return version in self._dead_lettered.get(key, ())

    def is_unclear(self, key: bytes) -> bool:
        """Whether the ticket has a record that can't be used. An earlier version may have accepted it."""
        return key in self._unusable_keys or len(self._unusable_keys) >= _MAX_UNUSABLE

    def is_latest(self, record: Record) -> bool:
        """Whether `record` is the latest of its ticket. Decoding has verified that its key names the ticket."""
        entry = self.tickets.get(record.key or b"")
        return entry is not None and entry.position == position_of(record)

    def _add(self, batch: Sequence[Record]) -> None:
        for record, item in zip(batch, self._decoded(batch), strict=True):
            self.records += 1
            self.next_offsets[record.origin.partition] = record.next_offset
            if isinstance(item, Rejected):
                self._note_unusable(record)
            elif position_of(record) in self._dead_letters:
                self.unusable += 1
                self._dead_lettered[record_key(item.tenant_id, item.ticket_id)].add(item.version)
            else:
                self._note(item, position_of(record))

    def _note_unusable(self, record: Record) -> None:
        self.unusable += 1
        if record.damage is not None and record.damage.lost == "record":
            self.lost_batches[position_of(record)] = record.next_offset - record.origin.offset
        elif record.key is not None and len(record.key) <= _MAX_KEY and len(self._unusable_keys) < _MAX_UNUSABLE:
            self._unusable_keys.add(record.key)

    def _decoded(self, batch: Sequence[Record]) -> Sequence[Ticket | TicketPoints | Rejected]:
        """Decode a batch. As in a worker, an unexpected error is the fault of a single record, which is rejected."""
        try:
            return self._decode(batch)
        except TicketstreamError:
            raise
        except Exception as error:  # noqa: BLE001 - any error is attributed to a record
            if len(batch) > 1:
                return [item for record in batch for item in self._decoded([record])]
            return [Rejected(batch[0], "decode", "fault", f"decode failed: {type(error).__name__}")]

    def _note(self, ticket: Ticket | TicketPoints, position: Position) -> None:
        key = record_key(ticket.tenant_id, ticket.ticket_id)
        entry = self.tickets.get(key)
        if entry is None:
            self.tickets[key] = Entry(ticket.version, *position, ticket.deleted)
        elif entry.version < ticket.version:
            entry.version, entry.deleted, entry.either = ticket.version, ticket.deleted, False
            entry.partition, entry.offset = position
        elif entry.version == ticket.version and entry.deleted != ticket.deleted:
            entry.either = True


def position_of(record: Record) -> Position:
    """A record's position in its topic."""
    return record.origin.partition, record.origin.offset


def split_record_key(key: bytes) -> tuple[str, str]:
    """Tenant and ticket of a record key."""
    tenant_id, _slash, ticket_id = key.decode().partition("/")
    return tenant_id, ticket_id
