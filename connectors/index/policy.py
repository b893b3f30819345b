"""Versions, deletes and chunks: what makes an engine of points an index of tickets.

A ticket's chunk 0 is its head. Points are written on the condition that the stored version is lower, the head last:
a head of version v says that everything of v is there. A search trusts heads only, so the moments between the
writes of one ticket never show, and a crash among them is repaired when the record is read again.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

from connectors.index.engine import AnyOf, Between, Condition, Engine, Found, Upsert
from connectors.index.layout import DELETED, HEAD_FIELDS, tombstone
from core.errors import FatalError
from core.identity import point_id
from core.records import IndexedTicket, IndexSize, Point, SearchHit, SearchQuery, TicketPoints, Vector
from core.vectors import vector_fault

#: Tickets of one round of lookups and writes.
_SLICE: Final = 256
#: A search asks for more points than tickets: several may be of one ticket, or of a version that is gone.
_SPARE: Final = 2
_MAX_FETCH: Final = 10_000
_NOT_SHOWN: Final = frozenset({"text", "tenant_id", "ticket_id", "version", "chunk", "chunks", "state"})


class VersionedIndex:
    """Implements `core.ports.Index` on an engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def write(self, tickets: Sequence[TicketPoints]) -> None:
        """See `core.ports.Index`."""
        newest: dict[tuple[str, str], TicketPoints] = {}
        for ticket in tickets:
            self._check_vectors(ticket)
            known = newest.get((ticket.tenant_id, ticket.ticket_id))
            if known is None or known.version < ticket.version:
                newest[ticket.tenant_id, ticket.ticket_id] = ticket
        wanted = list(newest.values())
        for at in range(0, len(wanted), _SLICE):
            self._write(wanted[at : at + _SLICE])

    def search(self, query: SearchQuery, vector: Vector) -> list[SearchHit]:
        """See `core.ports.Index`."""
        conditions = _conditions(query)
        fetch = query.limit * _SPARE
        while True:
            found = self.engine.nearest(vector, conditions, fetch)
            hits = self._tickets_of(found)
            if len(hits) >= query.limit or len(found) < fetch or fetch >= _MAX_FETCH:
                return hits[: query.limit]
            fetch = min(_MAX_FETCH, fetch * 4)

    def tickets(self) -> Iterator[IndexedTicket]:
        """See `core.ports.Index`."""
        for found in self.engine.scan([AnyOf("chunk", (0,))], fields=HEAD_FIELDS):
            head = found.payload
            yield IndexedTicket(
                head["tenant_id"], head["ticket_id"], head["version"], head["chunks"], deleted=head["state"] == DELETED
            )

    def size(self) -> IndexSize:
        """See `core.ports.Index`."""
        return IndexSize(self.engine.count([]), self.engine.count([AnyOf("state", (DELETED,))]))

    def close(self) -> None:
        """See `core.ports.Index`."""
        self.engine.close()

    # --- writing

    def _check_vectors(self, ticket: TicketPoints) -> None:
        for point in ticket.points:
            vector = point.vector
            fault = "no vector" if vector is None else vector_fault(vector, self.engine.dimension)
            if fault is not None:
                raise FatalError(f"refusing to index {fault}")

    def _write(self, tickets: Sequence[TicketPoints]) -> None:
        heads = self._heads(tickets)
        fresh, outdated = [], []
        for ticket in tickets:
            held = heads.get(_head_id(ticket))
            if held is None or held["version"] < ticket.version:
                fresh.append(ticket)
            elif held["version"] > ticket.version:
                outdated.append(ticket)
        self.engine.write(_upserts(fresh, heads))
        # Somebody newer may have come between, and can't have known of chunks we had not written yet.
        long = [ticket for ticket in fresh if len(ticket.points) > 1]
        now = self._heads(long) if long else {}
        outdated += [ticket for ticket in long if now[_head_id(ticket)]["version"] > ticket.version]
        self.engine.write(_leftovers(outdated, heads | now))

    def _heads(self, tickets: Sequence[TicketPoints]) -> dict[str, dict[str, Any]]:
        return self.engine.lookup([_head_id(ticket) for ticket in tickets], HEAD_FIELDS)

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


def _upserts(tickets: Sequence[TicketPoints], heads: dict[str, dict[str, Any]]) -> list[Upsert]:
    """Bodies and what is surplus first, heads last; those of one version share a condition."""
    bodies: dict[int, list[Point]] = defaultdict(list)
    tops: dict[int, list[Point]] = defaultdict(list)
    for ticket in tickets:
        head, *body = ticket.points or (tombstone(ticket.tenant_id, ticket.ticket_id, 0, ticket.version),)
        before = heads.get(_head_id(ticket), {}).get("chunks", 0)
        surplus = range(max(1, len(ticket.points)), before)
        tops[ticket.version].append(head)
        bodies[ticket.version] += body
        bodies[ticket.version] += [tombstone(ticket.tenant_id, ticket.ticket_id, n, ticket.version) for n in surplus]
    ordered = [*bodies.items(), *tops.items()]
    return [Upsert(points, below=version + 1) for version, points in ordered if points]


def _leftovers(tickets: Sequence[TicketPoints], heads: dict[str, dict[str, Any]]) -> list[Upsert]:
    """Tombstones for chunks that an outdated write of ours may have left beyond the newer version's end."""
    upserts = []
    for ticket in tickets:
        head = heads[_head_id(ticket)]
        surplus = range(max(1, head["chunks"]), len(ticket.points))
        points = [tombstone(ticket.tenant_id, ticket.ticket_id, n, head["version"]) for n in surplus]
        if points:
            upserts.append(Upsert(points, below=head["version"]))
    return upserts


def _head_id(ticket: TicketPoints) -> str:
    return point_id(ticket.tenant_id, ticket.ticket_id, 0)


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
