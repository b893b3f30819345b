"""Versions, deletes and chunks: makes an index of tickets out of an engine of points.

A ticket's chunk 0 is its head. A point is written only over a lower version, and the head last: a head of version v
means that all chunks of v are written, and a search trusts only heads (`connectors.qdrant.reading`).
A crash between the writes of one ticket is repaired when its record is read again.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from connectors.qdrant.engine import AnyOf, Between, Condition, Engine, OfTickets, Upsert
from connectors.qdrant.layout import LIVE, Row, head_of, row_of, tombstone, version_of
from connectors.qdrant.provenance import ProvenanceStore
from connectors.qdrant.reading import VersionedReader
from core.errors import RefusedError
from core.identity import point_id
from core.index import IndexedTicket
from core.records import Point, TicketPoints
from core.vectors import all_valid, vector_fault

#: Tickets and points per batch of lookups and writes. A point takes some 20 kB on its way to a server.
_SLICE: Final = 256
_SLICE_POINTS: Final = 4_096
#: Below every version.
_NONE: Final = -1
_BODY_FIELDS: Final = ("tenant_id", "ticket_id", "version", "chunk")


class VersionedIndex(VersionedReader):
    """Implements `core.protocols.Index` on an engine."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.engine = engine
        self.store = ProvenanceStore(engine)
        #: Called with the number of a write's tickets that were skipped because a newer version is known.
        self.on_superseded: Callable[[int], None] = lambda _count: None

    def write(self, tickets: Sequence[TicketPoints]) -> None:
        """See `core.protocols.Index`."""
        self._check_vectors([point for ticket in tickets for point in ticket.points])
        newest: dict[str, TicketPoints] = {}
        heads = [_head_id(ticket) for ticket in tickets]
        for head, ticket in zip(heads, tickets, strict=True):
            if head not in newest or newest[head].version < ticket.version:
                newest[head] = ticket
        superseded = sum(ticket.version < newest[head].version for head, ticket in zip(heads, tickets, strict=True))
        for part in _slices(list(newest.values())) if newest else ():
            superseded += self._write(part)
        if superseded:
            self.on_superseded(superseded)

    def overwrite(self, tickets: Sequence[TicketPoints]) -> None:
        """See `core.protocols.Index`. The head, from which tickets are listed, is written last."""
        self._check_vectors([point for ticket in tickets for point in ticket.points])
        for part in _slices(tickets) if tickets else ():
            self._delete_bodies({_head_id(ticket): ticket.version for ticket in part})
            self.engine.write(_upserts(part), ordered=True)
            self._clear(part)

    def remove(self, tickets: Sequence[IndexedTicket]) -> None:
        """See `core.protocols.Index`. The head is removed last, so that an interrupted removal can be repeated."""
        for at in range(0, len(tickets), _SLICE):
            some = tickets[at : at + _SLICE]
            heads = {point_id(ticket.tenant_id, ticket.ticket_id, 0): ticket.version for ticket in some}
            self._delete_bodies(heads)
            for version in {*heads.values()}:
                self.engine.delete([head for head, own in heads.items() if own == version], below=version + 1)

    def _delete_bodies(self, heads: Mapping[str, int]) -> None:
        """Delete the chunks, except for heads, that have their ticket's version in `heads` or an older one."""
        bodies: dict[int, list[str]] = defaultdict(list)
        for found in self.engine.scan([OfTickets(tuple(heads)), Between("chunk", least=1)], fields=_BODY_FIELDS):
            bodies[heads[head_of(row_of(found.payload))]].append(found.id)
        for version, ids in bodies.items():
            self.engine.delete(ids, below=version + 1)

    def _check_vectors(self, points: Sequence[Point]) -> None:
        vectors = [point.vector for point in points if point.vector is not None]
        if len(vectors) == len(points) and all_valid(vectors, self.engine.dimension):
            return
        for point in points:
            vector = point.vector
            fault = "no vector" if vector is None else vector_fault(vector, self.engine.dimension)
            if fault is not None:
                raise RefusedError(f"refusing to index {fault}")

    def _write(self, tickets: Sequence[TicketPoints]) -> int:
        """Write the tickets that are newer than the index's versions. Returns the number of older ones."""
        versions = self._versions(tickets)
        held = [versions.get(_head_id(ticket), _NONE) for ticket in tickets]
        newer = [ticket for ticket, version in zip(tickets, held, strict=True) if version < ticket.version]
        self.engine.write(_upserts(newer))
        self._clear(tickets)
        return sum(version > ticket.version for ticket, version in zip(tickets, held, strict=True))

    def _clear(self, tickets: Sequence[TicketPoints]) -> None:
        """Replace chunks that are older than their ticket's head with tombstones.

        This reads the index and doesn't rely on what was written here: another writer may have written meanwhile, or
        crashed. Every writer of chunks clears afterwards, so the last one leaves no stale chunk. The heads are read
        first: a head that is written later has a writer that clears later.
        """
        heads = self._versions(tickets)
        stale: dict[int, list[Point]] = defaultdict(list)
        for body in self._bodies(tickets, below=max(heads.values(), default=_NONE)):
            version = heads.get(head_of(body), _NONE)
            if body.version < version:
                stale[version].append(tombstone(body.tenant_id, body.ticket_id, body.chunk, version))
        if stale:
            self.engine.write([Upsert(points, below=version) for version, points in stale.items()])

    def _versions(self, tickets: Sequence[TicketPoints]) -> dict[str, int]:
        """The version of each ticket's head, by the head's id; tickets that the index doesn't know are left out."""
        found = self.engine.lookup(sorted({_head_id(ticket) for ticket in tickets}), ("version",))
        return {key: version_of(payload) for key, payload in found.items()}

    def _bodies(self, tickets: Sequence[TicketPoints], *, below: int) -> list[Row]:
        """The live chunks of a version below `below` that are not heads.

        They are found by their head's id, because ticket ids repeat between tenants.
        """
        heads = tuple({_head_id(ticket) for ticket in tickets})
        conditions: list[Condition] = [
            AnyOf("head", heads),
            AnyOf("state", (LIVE,)),
            Between("chunk", least=1),
            Between("version", below=below),
        ]
        return [row_of(found.payload) for found in self.engine.scan(conditions, fields=_BODY_FIELDS)]


def _slices(tickets: Sequence[TicketPoints]) -> Iterator[Sequence[TicketPoints]]:
    first, points = 0, 0
    for at, ticket in enumerate(tickets):
        if at > first and (at - first == _SLICE or points + ticket.point_count > _SLICE_POINTS):
            yield tickets[first:at]
            first, points = at, 0
        points += ticket.point_count
    yield tickets[first:]


def _upserts(tickets: Sequence[TicketPoints]) -> list[Upsert]:
    """Bodies first and heads last, each grouped by version, which is the condition of the write."""
    bodies: dict[int, list[Point]] = defaultdict(list)
    heads: dict[int, list[Point]] = defaultdict(list)
    for ticket in tickets:
        head, *body = ticket.points or (tombstone(ticket.tenant_id, ticket.ticket_id, 0, ticket.version),)
        heads[ticket.version].append(head)
        bodies[ticket.version] += body
    ordered = [*bodies.items(), *heads.items()]
    return [Upsert(points, below=version + 1) for version, points in ordered if points]


def _head_id(ticket: TicketPoints) -> str:
    """Chunk 0 comes first; a deleted ticket has no chunks."""
    return ticket.points[0].id if ticket.points else point_id(ticket.tenant_id, ticket.ticket_id, 0)
