"""Versions, deletes and chunks: what makes an engine of points an index of tickets.

A ticket's chunk 0 is its head. Points are written on the condition that the stored version is lower, the head last:
a head of version v says that everything of v is there. A search trusts heads only, so the moments between the
writes of one ticket never show, and a crash among them is repaired when the record is read again.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

from connectors.qdrant.engine import AnyOf, Between, Condition, Engine, Found, Upsert
from connectors.qdrant.layout import DELETED, HEAD_FIELDS, LIVE, tombstone
from core.errors import RefusedError
from core.identity import point_id
from core.records import IndexedTicket, IndexSize, Point, SearchHit, SearchQuery, TicketPoints, Vector
from core.vectors import all_sound, vector_fault

#: Tickets of one round of lookups and writes.
_SLICE: Final = 256
#: A search asks for more points than tickets: several may be of one ticket, or of a version that is gone.
_SPARE: Final = 2
_MAX_FETCH: Final = 10_000
_BODY_FIELDS: Final = ("tenant_id", "ticket_id", "version", "chunk")
_NOTHING: Final[dict[str, Any]] = {"version": -1}
_NOT_SHOWN: Final = frozenset({"text", "tenant_id", "ticket_id", "head", "version", "chunk", "chunks", "state"})


class VersionedIndex:
    """Implements `core.protocols.Index` on an engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def write(self, tickets: Sequence[TicketPoints]) -> None:
        """See `core.protocols.Index`."""
        self._check_vectors([point for ticket in tickets for point in ticket.points])
        newest: dict[str, TicketPoints] = {}
        for ticket in tickets:
            head = _head_id(ticket)
            if head not in newest or newest[head].version < ticket.version:
                newest[head] = ticket
        wanted = list(newest.values())
        for at in range(0, len(wanted), _SLICE):
            self._write(wanted[at : at + _SLICE])

    def search(self, query: SearchQuery, vector: Vector) -> list[SearchHit]:
        """See `core.protocols.Index`."""
        conditions = _conditions(query)
        fetch = query.limit * _SPARE
        while True:
            found = self.engine.nearest(vector, conditions, fetch)
            hits = self._tickets_of(_of_tenant(found, query.tenant_id))
            if len(hits) >= query.limit or len(found) < fetch or fetch >= _MAX_FETCH:
                return hits[: query.limit]
            fetch = min(_MAX_FETCH, fetch * 4)

    def tickets(self) -> Iterator[IndexedTicket]:
        """See `core.protocols.Index`."""
        for found in self.engine.scan([AnyOf("chunk", (0,))], fields=HEAD_FIELDS):
            head = found.payload
            yield IndexedTicket(
                head["tenant_id"], head["ticket_id"], head["version"], head["chunks"], deleted=head["state"] == DELETED
            )

    def size(self) -> IndexSize:
        """See `core.protocols.Index`."""
        return IndexSize(self.engine.count([]), self.engine.count([AnyOf("state", (DELETED,))]))

    def close(self) -> None:
        """See `core.protocols.Index`."""
        self.engine.close()

    # --- writing

    def _check_vectors(self, points: Sequence[Point]) -> None:
        vectors = [point.vector for point in points if point.vector is not None]
        if len(vectors) == len(points) and all_sound(vectors, self.engine.dimension):
            return
        for point in points:
            vector = point.vector
            fault = "no vector" if vector is None else vector_fault(vector, self.engine.dimension)
            if fault is not None:
                raise RefusedError(f"refusing to index {fault}")

    def _write(self, tickets: Sequence[TicketPoints]) -> None:
        heads = self.engine.lookup([_head_id(ticket) for ticket in tickets], HEAD_FIELDS)
        self.engine.write(_upserts([t for t in tickets if heads.get(_head_id(t), _NOTHING)["version"] < t.version]))
        self._clear(tickets)

    def _clear(self, tickets: Sequence[TicketPoints]) -> None:
        """Make tombstones of chunks that are older than their ticket's head.

        What is there is looked at, not what we wrote: other writers may have been at work, or died over it. Whoever
        writes chunks clears after it, so the last one leaves none behind.
        """
        bodies = self._bodies(tickets)
        if not bodies:
            return
        owners = {point_id(body["tenant_id"], body["ticket_id"], 0) for body in bodies}
        heads = self.engine.lookup(sorted(owners), HEAD_FIELDS)
        stale: dict[int, list[Point]] = defaultdict(list)
        for body in bodies:
            tenant_id, ticket_id = body["tenant_id"], body["ticket_id"]
            version = heads.get(point_id(tenant_id, ticket_id, 0), _NOTHING)["version"]
            if body["version"] < version:
                stale[version].append(tombstone(tenant_id, ticket_id, body["chunk"], version))
        self.engine.write([Upsert(points, below=version) for version, points in stale.items()])

    def _bodies(self, tickets: Sequence[TicketPoints]) -> list[dict[str, Any]]:
        """The live chunks but the heads, by the head they name: ids of tickets repeat between tenants."""
        heads = tuple({_head_id(ticket) for ticket in tickets})
        conditions: list[Condition] = [AnyOf("head", heads), AnyOf("state", (LIVE,)), Between("chunk", least=1)]
        return [found.payload for found in self.engine.scan(conditions, fields=_BODY_FIELDS)]

    # --- searching

    def _tickets_of(self, found: Sequence[Found]) -> list[SearchHit]:
        """The best chunk of each ticket, where it is of the version that the ticket's head has."""
        asked = {point_id(p.payload["tenant_id"], p.payload["ticket_id"], 0) for p in found if p.payload["chunk"] != 0}
        heads = self.engine.lookup(sorted(asked), HEAD_FIELDS) if asked else {}
        hits: dict[tuple[str, str], SearchHit] = {}
        for point in found:
            payload = point.payload
            tenant_id, ticket_id = payload["tenant_id"], payload["ticket_id"]
            head = payload if payload["chunk"] == 0 else heads.get(point_id(tenant_id, ticket_id, 0))
            if head is None or head["state"] == DELETED or head["version"] != payload["version"]:
                continue
            if (tenant_id, ticket_id) not in hits:
                shown = {name: value for name, value in payload.items() if name not in _NOT_SHOWN}
                hits[tenant_id, ticket_id] = SearchHit(
                    tenant_id, ticket_id, payload["version"], point.score, payload["text"], shown
                )
        return list(hits.values())


def _of_tenant(found: Sequence[Found], tenant_id: str) -> list[Found]:
    """The engine has filtered by tenant already: a second look, should it err or a hash collide."""
    return [point for point in found if point.payload["tenant_id"] == tenant_id]


def _upserts(tickets: Sequence[TicketPoints]) -> list[Upsert]:
    """Bodies first, heads last; those of one version share a condition."""
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


def _conditions(query: SearchQuery) -> list[Condition]:
    """The tenant always; what else is asked for. Tombstones have no vector and need no condition."""
    conditions: list[Condition] = [AnyOf("tenant_id", (query.tenant_id,))]
    for field in ("status", "category", "language", "channel"):
        values: tuple[str, ...] = getattr(query, field)
        if values:
            conditions.append(AnyOf(field, values))
    if query.updated_after_ms is not None or query.updated_before_ms is not None:
        conditions.append(Between("updated_at", query.updated_after_ms, query.updated_before_ms))
    if query.public_only:
        conditions.append(AnyOf("visibility", ("public",)))
    return conditions
