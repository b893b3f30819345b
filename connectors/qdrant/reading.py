"""Reads an index of tickets from an engine of points: searches and lists complete and current tickets only.

A ticket's chunk 0 is its head, which is written last (`connectors.qdrant.policy`): a search drops passages of another
version than their head's, so it never shows a ticket that is partly written.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, Protocol, TypeVar

import numpy as np

from connectors.qdrant.engine import (
    AnyOf,
    Between,
    Condition,
    EngineReader,
    Found,
    FoundPassage,
    OfTickets,
    PointKey,
    WithTerms,
)
from connectors.qdrant.filters import corpus_of, filters_of
from connectors.qdrant.layout import DELETED, HEAD_FIELDS, LABEL_FIELDS, LIVE, Row, given_label, row_of
from connectors.qdrant.passages import candidate_of, thread_of
from connectors.qdrant.provenance import ProvenanceReader
from core.identity import point_id
from core.index import (
    Candidate,
    IndexedTicket,
    IndexSize,
    LabelledVector,
    SearchQuery,
    Thread,
)
from core.provenance import Provenance
from core.records import SparseVector, Vector

logger: Final = logging.getLogger("ticketstream.index")

#: The first round of a search asks for this many points per ticket, as some points share a ticket.
_SPARE: Final = 2
#: Minimum and maximum points of a round. They are in memory at once, with their texts.
_MIN_FETCH: Final = 24
_MAX_FETCH: Final = 2_048
#: Rounds of a search. Each finds at least one new ticket, so a search with a limit up to this finds all its tickets.
_MAX_ROUNDS: Final = 64
#: Passages of one ticket that one retrieval returns.
_PASSAGES: Final = 8
#: Maximum terms that `known` looks up.
_MAX_KNOWN: Final = 64
#: Attempts to read a thread that is being rewritten.
_THREAD_READS: Final = 4
#: The fields of a head that a search reads, and their values if the head is missing.
_STATE_FIELDS: Final = ("version", "state")
_NO_HEAD: Final = (-1, DELETED)


F = TypeVar("F", Found, FoundPassage)

#: Version and state of the heads that a search has read, by id.
_Heads = dict[str, tuple[int, str]]


class _Find(Protocol):
    """A retrieval: the best points that meet all `conditions` and none of `unless`."""

    def __call__(
        self, conditions: Sequence[Condition], limit: int, unless: Sequence[Condition] = ()
    ) -> Sequence[FoundPassage]: ...


class VersionedReader:
    """Implements `core.protocols.IndexReader` on an engine."""

    def __init__(self, engine: EngineReader) -> None:
        self._reader = engine
        self._provenance = ProvenanceReader(engine)
        #: Called when a search ends before it has found as many tickets as it was asked for.
        self.on_cut: Callable[[], None] = lambda: None

    def candidates(self, query: SearchQuery, vector: Vector | None, terms: SparseVector | None) -> list[Candidate]:
        """See `core.protocols.IndexReader`."""
        corpus, heads = corpus_of(query), _Heads()
        terms = terms if terms is not None and len(terms.indices) else None
        near = {} if vector is None else self._passages(query, partial(self._reader.nearest, vector), heads)
        find = partial(self._reader.matching, terms, corpus) if terms is not None else None
        matching = {} if find is None else self._passages(query, find, heads)
        by_words_alone = [one for key, one in matching.items() if key not in near]
        similarity = self._scores(vector, (), by_words_alone)
        words = self._scores(terms, corpus, [one for key, one in near.items() if key not in matching])
        found = []
        for key, one in near.items():
            same = matching.get(key)
            found.append(candidate_of(same or one, one.score, words.get(key, 0.0) if same is None else same.score))
        return found + [candidate_of(one, similarity.get(one.key, 0.0), one.score) for one in by_words_alone]

    def known(self, tenant_id: str, term_ids: Sequence[int], *, public_only: bool = False) -> frozenset[int]:
        """See `core.protocols.IndexReader`."""
        query = SearchQuery(tenant_id=tenant_id, public_only=public_only)
        return frozenset(term for term in list(dict.fromkeys(term_ids))[:_MAX_KNOWN] if self._occurs(term, query))

    def thread(
        self, tenant_id: str, ticket_id: str, *, vectors: bool = False, public_only: bool = False
    ) -> Thread | None:
        """See `core.protocols.IndexReader`."""
        key = point_id(tenant_id, ticket_id, 0)
        reads = 0
        while True:
            reads += 1
            head = self.heads_of({key}).get(key)
            if head is None or head.state == DELETED or head.tenant_id != tenant_id:
                return None
            version = Between("version", head.version, head.version + 1)
            live = AnyOf("state", (LIVE,))  # a shorter version leaves tombstones of its own number
            found = _of_tenant(self._reader.scan([OfTickets((key,)), version, live], vectors=vectors), tenant_id)
            if reads == _THREAD_READS or len(found) >= head.chunks:  # otherwise a newer version is replacing them
                return thread_of(head, found, public_only=public_only)

    def tickets(self) -> Iterator[IndexedTicket]:
        """See `core.protocols.IndexReader`."""
        for found in self._reader.scan([AnyOf("chunk", (0,))], fields=HEAD_FIELDS):
            head = row_of(found.payload)
            yield IndexedTicket(
                head.tenant_id, head.ticket_id, head.version, head.chunks, deleted=head.state == DELETED
            )

    def labelled(self) -> Iterator[LabelledVector]:
        """See `core.protocols.IndexReader`. Points are ordered by their id, which is a hash."""
        conditions = [AnyOf("chunk", (0,)), AnyOf("state", (LIVE,))]
        for found in self._reader.scan(conditions, fields=LABEL_FIELDS, vectors=True):
            category, priority = (given_label(found.payload, kind) for kind in ("category", "priority"))
            if found.vector is not None and (category or priority):
                yield LabelledVector(np.array(found.vector, np.float32), category, priority, found.terms)

    def size(self) -> IndexSize:
        """See `core.protocols.IndexReader`."""
        notes = self._provenance.count()  # the provenance's points look like tombstones
        count, heads, deleted = self._reader.count, AnyOf("chunk", (0,)), AnyOf("state", (DELETED,))
        return IndexSize(count([]) - notes, count([deleted]) - notes, tickets=count([heads]) - count([heads, deleted]))

    def origin(self) -> Provenance | None:
        """See `core.protocols.IndexReader`."""
        return self._provenance.read()

    def without_terms(self) -> int:
        """Number of passages that an earlier version wrote without terms, or that have no word."""
        return self._reader.count([AnyOf("state", (LIVE,))]) - self._reader.count([WithTerms()])

    def other_model(self, model: str) -> str | None:
        """The stamp of another model than `model` whose vectors the index holds, if there is one."""
        others = self._reader.scan([AnyOf("state", (LIVE,))], [AnyOf("model", (model,))], fields=["model"])
        other = next(others, None)
        return None if other is None else str(other.payload.get("model"))

    def close(self) -> None:
        """See `core.protocols.IndexReader`."""
        self._reader.close()

    def _passages(self, query: SearchQuery, find: _Find, heads: _Heads) -> dict[PointKey, FoundPassage]:
        """By key, the passages of at least `query.limit` tickets, if so many match."""
        conditions, unless = filters_of(query)
        found, rewritten = self._rounds(query, find, conditions, unless, heads)
        if rewritten:  # only chunks of other versions were found: search the complete version's chunks
            whole = AnyOf("version", tuple({*rewritten.values()}))
            found |= self._rounds(query, find, [*conditions, OfTickets(tuple(rewritten)), whole], unless, heads)[0]
        return found

    def _rounds(
        self,
        query: SearchQuery,
        find: _Find,
        conditions: Sequence[Condition],
        unless: Sequence[Condition],
        heads: _Heads,
    ) -> tuple[dict[PointKey, FoundPassage], dict[str, int]]:
        """The best passages, and the head's version of tickets of which only other versions were found.

        The engine finds points, and one ticket may have thousands. So each round excludes the tickets that were already
        found, and asks for more points if the last round found too few tickets.
        """
        passages: dict[PointKey, FoundPassage] = {}
        tickets: set[str] = set()
        rewritten: dict[str, int] = {}
        seen: dict[str, None] = {}
        fetch = min(max(query.limit * _SPARE, _MIN_FETCH), _MAX_FETCH)
        for _ in range(_MAX_ROUNDS):
            found = find(conditions, fetch, [*unless, OfTickets(tuple(seen))] if seen else unless)
            of_round, outdated = self._current(_of_tenant(found, query.tenant_id), heads)
            passages |= {one.key: one for one in of_round}
            tickets |= {one.row.ticket_id for one in of_round}
            rewritten |= outdated
            if len(tickets) >= query.limit or len(found) < fetch:
                return passages, rewritten
            seen |= dict.fromkeys(head_of(one.row) for one in found)
            fetch = min(fetch * 2, _MAX_FETCH)
        self.on_cut()
        logger.warning(
            "a search found only %d of %d tickets, because a few tickets have most of the passages",
            len(tickets),
            query.limit,
        )
        return passages, rewritten

    def _current(self, found: Sequence[FoundPassage], heads: _Heads) -> tuple[list[FoundPassage], dict[str, int]]:
        """The best chunks of each ticket, out of those whose version is their head's.

        Also returns the head's version of the live tickets that have no such chunk in `found`.
        """
        self._learn(found, heads)
        passages: list[FoundPassage] = []
        kept: dict[str, int] = {}
        rewritten: dict[str, int] = {}
        for one in found:
            row = one.row
            key = head_of(row)
            version, state = (row.version, row.state) if row.chunk == 0 else heads.get(key, _NO_HEAD)
            number = kept.get(key, 0)
            if state == DELETED or number == _PASSAGES:
                continue
            if version == row.version:
                kept[key] = number + 1
                passages.append(one)
            else:
                rewritten[key] = version
        return passages, {key: version for key, version in rewritten.items() if key not in kept}

    def _learn(self, found: Sequence[FoundPassage], heads: _Heads) -> None:
        """Add the heads of these passages to `heads`, and read heads that don't fit a body again."""
        heads |= {head_of(one.row): (one.row.version, one.row.state) for one in found if one.row.chunk == 0}
        bodies = [one.row for one in found if one.row.chunk != 0]
        unknown = sorted({key for row in bodies if heads.get(key := head_of(row), _NO_HEAD)[0] != row.version})
        if unknown:
            read = self._reader.lookup(unknown, _STATE_FIELDS)
            heads |= {key: _state(read[key]) if key in read else _NO_HEAD for key in unknown}

    def _scores(
        self,
        wanted: Vector | SparseVector | None,
        corpus: Sequence[Condition],
        others: Sequence[FoundPassage],
    ) -> Mapping[PointKey, float]:
        """The scores of points that another retrieval found."""
        return {} if wanted is None or not others else self._reader.scores(wanted, others, corpus)

    def _occurs(self, term: int, query: SearchQuery) -> bool:
        alone = SparseVector(np.array([term], np.uint32), np.ones(1, np.float32))
        conditions, _unless = filters_of(query)
        return bool(_of_tenant(self._reader.matching(alone, (), conditions, 1), query.tenant_id))

    def heads_of(self, ids: set[str]) -> dict[str, Row]:
        """The heads with these ids, by id, of those that exist."""
        found = self._reader.lookup(sorted(ids), HEAD_FIELDS) if ids else {}
        return {key: row_of(payload) for key, payload in found.items()}


def _state(head: Mapping[str, object]) -> tuple[int, str]:
    """Version and state."""
    version = head.get("version")
    return version if isinstance(version, int) else -1, str(head.get("state", LIVE))


def _of_tenant(found: Iterable[F], tenant_id: str) -> list[F]:
    """The tenant's points: a second check, in case the engine's filter fails or a hash collides."""
    return [point for point in found if point.payload["tenant_id"] == tenant_id]


def head_of(one: Row) -> str:
    """The id of the ticket's head."""
    return one.head or point_id(one.tenant_id, one.ticket_id, 0)
