"""Reads an index of tickets from an engine of points: searches and lists complete and current tickets only.

A ticket's chunk 0 is its head, which is written last (`connectors.qdrant.policy`): a search drops passages of another
version than their head's, so it never shows a ticket that is partly written.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Final, cast

from connectors.qdrant.engine import AnyOf, Between, Condition, EngineReader, Found, OfTickets
from connectors.qdrant.layout import DELETED, HEAD_FIELDS, LIVE, PUBLIC, Row, row_of
from connectors.qdrant.provenance import ProvenanceReader
from core.identity import point_id
from core.index import IndexedTicket, IndexSize, SearchHit, SearchQuery
from core.payload import PayloadValue
from core.records import Vector

logger: Final = logging.getLogger("ticketstream.index")

#: The first round of a search asks for this many times more points than tickets: some belong to one ticket.
_SPARE: Final = 2
#: Points that a round asks for, at least and at most. They are in memory at once, with their texts.
_MIN_FETCH: Final = 32
_MAX_FETCH: Final = 2_048
#: Rounds of a search. Each finds at least one new ticket, so a search with a limit up to this finds all its tickets.
_MAX_ROUNDS: Final = 64
#: Characters of a passage that a search shows. Passages of the default model are shorter (`operators.chunk`).
_MAX_SHOWN: Final = 4_096
_NOT_SHOWN: Final = frozenset({"text", "tenant_id", "ticket_id", "head", "version", "chunk", "chunks", "state"})


class VersionedReader:
    """Implements `core.protocols.IndexReader` on an engine."""

    def __init__(self, engine: EngineReader) -> None:
        self._reader = engine
        self.provenance = ProvenanceReader(engine)
        #: Called when a search ends before it has found as many tickets as it was asked for.
        self.on_cut: Callable[[], None] = lambda: None

    def search(self, query: SearchQuery, vector: Vector) -> list[SearchHit]:
        """See `core.protocols.IndexReader`."""
        conditions = _conditions(query)
        hits, rewritten = self._nearest(query, vector, conditions)
        if rewritten:  # only chunks of another version were found: search those of the complete version
            whole = AnyOf("version", tuple({*rewritten.values()}))
            hits += self._nearest(query, vector, [*conditions, OfTickets(tuple(rewritten)), whole])[0]
            hits.sort(key=lambda hit: hit.score, reverse=True)
        return hits[: query.limit]

    def tickets(self) -> Iterator[IndexedTicket]:
        """See `core.protocols.IndexReader`."""
        for found in self._reader.scan([AnyOf("chunk", (0,))], fields=HEAD_FIELDS):
            head = row_of(found.payload)
            yield IndexedTicket(
                head.tenant_id, head.ticket_id, head.version, head.chunks, deleted=head.state == DELETED
            )

    def size(self) -> IndexSize:
        """See `core.protocols.IndexReader`."""
        notes = self.provenance.count()  # they look like tombstones
        count, heads, deleted = self._reader.count, AnyOf("chunk", (0,)), AnyOf("state", (DELETED,))
        return IndexSize(count([]) - notes, count([deleted]) - notes, tickets=count([heads]) - count([heads, deleted]))

    def other_model(self, model: str) -> str | None:
        """The stamp of another model than `model` whose vectors the index holds, if there is one."""
        others = self._reader.scan([AnyOf("state", (LIVE,))], [AnyOf("model", (model,))], fields=["model"])
        other = next(others, None)
        return None if other is None else str(other.payload.get("model"))

    def close(self) -> None:
        """See `core.protocols.IndexReader`."""
        self._reader.close()

    def _nearest(
        self, query: SearchQuery, vector: Vector, conditions: Sequence[Condition]
    ) -> tuple[list[SearchHit], dict[str, int]]:
        """The nearest tickets, best first; and the head's version of tickets of which only other versions were found.

        The engine finds points, and one ticket may have thousands. So each round excludes the tickets that were already
        found, and asks for more points if the last round found too few tickets.
        """
        hits: list[SearchHit] = []
        rewritten: dict[str, int] = {}
        seen: dict[str, None] = {}
        fetch = min(max(query.limit * _SPARE, _MIN_FETCH), _MAX_FETCH)
        for _ in range(_MAX_ROUNDS):
            found = self._reader.nearest(vector, conditions, fetch, [OfTickets(tuple(seen))] if seen else ())
            seen |= dict.fromkeys(head_of(row_of(point.payload)) for point in found)
            of_round, outdated = self._tickets_of(_of_tenant(found, query.tenant_id))
            hits += of_round
            rewritten |= outdated
            if len(hits) >= query.limit or len(found) < fetch:
                return hits, rewritten
            fetch = min(fetch * 2, _MAX_FETCH)
        self.on_cut()
        logger.warning("a search has found %d tickets of %d: few tickets have most passages", len(hits), query.limit)
        return hits, rewritten

    def _tickets_of(self, found: Sequence[Found]) -> tuple[list[SearchHit], dict[str, int]]:
        """The best chunk of each ticket, out of the chunks whose version is their head's.

        Also returns the head's version of the live tickets that have no such chunk in `found`.
        """
        rows = [row_of(point.payload) for point in found]
        heads = self.heads_of({head_of(one) for one in rows if one.chunk != 0})
        hits: dict[str, SearchHit] = {}
        rewritten: dict[str, int] = {}
        for point, one in zip(found, rows, strict=True):
            key = head_of(one)
            head = one if one.chunk == 0 else heads.get(key)
            if head is None or head.state == DELETED or key in hits:
                continue
            if head.version == one.version:
                hits[key] = _hit(point, one)
            else:
                rewritten[key] = head.version
        return list(hits.values()), {key: version for key, version in rewritten.items() if key not in hits}

    def heads_of(self, ids: set[str]) -> dict[str, Row]:
        """The heads with these ids, by id, of those that exist."""
        found = self._reader.lookup(sorted(ids), HEAD_FIELDS) if ids else {}
        return {key: row_of(payload) for key, payload in found.items()}


def _hit(point: Found, row: Row) -> SearchHit:
    shown = {
        name: cast("PayloadValue", value)  # as core.records.Payload has it
        for name, value in point.payload.items()
        if name not in _NOT_SHOWN
    }
    text = row.text if len(row.text) <= _MAX_SHOWN else f"{row.text[:_MAX_SHOWN]}…"
    return SearchHit(row.tenant_id, row.ticket_id, row.version, point.score, text, shown)


def _of_tenant(found: Sequence[Found], tenant_id: str) -> list[Found]:
    """The tenant's points: a second check, in case the engine's filter fails or a hash collides."""
    return [point for point in found if point.payload["tenant_id"] == tenant_id]


def head_of(one: Row) -> str:
    """The id of the ticket's head."""
    return point_id(one.tenant_id, one.ticket_id, 0)


def _conditions(query: SearchQuery) -> list[Condition]:
    """The tenant, and the query's filters. Tombstones need no condition: they have no vector."""
    conditions: list[Condition] = [AnyOf("tenant_id", (query.tenant_id,))]
    filters = {
        "status": query.status,
        "category": query.category,
        "language": query.language,
        "channel": query.channel,
    }
    conditions += [AnyOf(field, values) for field, values in filters.items() if values]
    if query.updated_after_ms is not None or query.updated_before_ms is not None:
        conditions.append(Between("updated_at", query.updated_after_ms, query.updated_before_ms))
    if query.public_only:
        conditions.append(AnyOf("visibility", (PUBLIC,)))
    return conditions
