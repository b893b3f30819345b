"""Reads an index of tickets from an engine of points: searches and lists complete and current tickets only.

A ticket's chunk 0 is its head, which is written last (`connectors.qdrant.policy`): a search drops passages of another
version than their head's, so it never shows a ticket that is partly written.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final

import numpy as np

from connectors.qdrant.engine import (
    AnyOf,
    Between,
    EngineReader,
    FoundPassage,
    OfTickets,
    PointKey,
    Retrieval,
    WithIds,
    WithTerms,
)
from connectors.qdrant.filters import corpus_of, filters_of
from connectors.qdrant.layout import (
    DELETED,
    HEAD_FIELDS,
    LABEL_FIELDS,
    LIVE,
    STATE_FIELDS,
    Row,
    given_label,
    row_of,
)
from connectors.qdrant.passages import candidate_of, thread_of
from connectors.qdrant.provenance import ProvenanceReader
from connectors.qdrant.rounds import Rounds
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

#: Rounds of a search. Each finds at least one new ticket, so a search with a limit up to this finds all its tickets.
_MAX_ROUNDS: Final = 64
#: Passages of one ticket that one retrieval returns.
_PASSAGES: Final = 8
#: Maximum terms that `known` looks up.
_MAX_KNOWN: Final = 64
#: Attempts to read a thread that is being rewritten.
_THREAD_READS: Final = 4
#: Version and state of a missing head.
_NO_HEAD: Final = (-1, DELETED)


#: Version and state of the heads that a search has read, by id.
_Heads = dict[str, tuple[int, str]]


class VersionedReader:
    """Implements `core.protocols.IndexReader` on an engine."""

    def __init__(self, engine: EngineReader) -> None:
        self._reader = engine
        self._provenance = ProvenanceReader(engine)
        #: Called when a search ends before it has found as many tickets as it was asked for.
        self.on_cut: Callable[[], None] = lambda: None

    def candidates(self, query: SearchQuery, vector: Vector | None, terms: SparseVector | None) -> list[Candidate]:
        """See `core.protocols.IndexReader`."""
        wanted = vector, terms if terms is not None and len(terms.indices) else None
        near, matching = self._retrieve(query, wanted)
        by_words_alone = [one for key, one in matching.items() if key not in near]
        by_meaning_alone = [one for key, one in near.items() if key not in matching]
        similarity, words = self._scores(query, wanted, (by_words_alone, by_meaning_alone))
        found = []
        for key, one in near.items():
            same = matching.get(key)
            found.append(candidate_of(same or one, one.score, words.get(key, 0.0) if same is None else same.score))
        return found + [candidate_of(one, similarity.get(one.key, 0.0), one.score) for one in by_words_alone]

    def known(self, tenant_id: str, term_ids: Sequence[int], *, public_only: bool = False) -> frozenset[int]:
        """See `core.protocols.IndexReader`."""
        query = SearchQuery(tenant_id=tenant_id, public_only=public_only)
        conditions, _unless = filters_of(query)
        wanted = list(dict.fromkeys(term_ids))[:_MAX_KNOWN]
        found = self._reader.search([Retrieval(_alone(term), conditions, 1) for term in wanted])
        return frozenset(term for term, points in zip(wanted, found, strict=True) if _of_tenant(points, tenant_id))

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
            points = self._reader.scan([OfTickets((key,)), version, live], vectors=vectors)
            found = [one for one in points if one.payload["tenant_id"] == tenant_id]  # as in `_of_tenant`
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

    def _retrieve(
        self, query: SearchQuery, wanted: Sequence[Vector | SparseVector | None]
    ) -> list[dict[PointKey, FoundPassage]]:
        """For each of `wanted`, by key, the passages of at least `query.limit` tickets, if that many match."""
        heads = _Heads()
        retrievals = [Rounds(query, one) for one in wanted]
        self._run(query, retrievals, heads)
        again = {number: more for number, one in enumerate(retrievals) if (more := one.of_rewritten()) is not None}
        self._run(query, [*again.values()], heads)
        for number, more in again.items():
            retrievals[number].passages |= more.passages
        return [one.passages for one in retrievals]

    def _run(self, query: SearchQuery, retrievals: Sequence[Rounds], heads: _Heads) -> None:
        """Run the retrievals, with one request to the engine for a round of all of them."""
        for _ in range(_MAX_ROUNDS):
            asked = [(one, wanted) for one in retrievals if (wanted := one.next()) is not None]
            if not asked:
                return
            answers = self._reader.search([wanted for _one, wanted in asked])
            own = [_of_tenant(found, query.tenant_id) for found in answers]
            self._learn(chain.from_iterable(own), heads)
            for (one, _wanted), found, of_tenant in zip(asked, answers, own, strict=True):
                one.take(found, *self._current(of_tenant, heads))
        for one in retrievals:
            if one.next() is not None:
                self.on_cut()
                logger.warning(
                    "a search found only %d of %d tickets, because a few tickets have most of the passages",
                    one.tickets,
                    query.limit,
                )

    def _current(self, found: Sequence[FoundPassage], heads: _Heads) -> tuple[list[FoundPassage], dict[str, int]]:
        """The best chunks of each ticket, out of those whose version is their head's.

        Also returns the head's version of the live tickets that have no such chunk in `found`.
        """
        passages: list[FoundPassage] = []
        kept: dict[str, int] = {}
        rewritten: dict[str, int] = {}
        for one in found:
            row, key = one.row, one.head
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

    def _learn(self, found: Iterable[FoundPassage], heads: _Heads) -> None:
        """Add the heads of these passages to `heads`, and read heads that don't fit a body again."""
        bodies = []
        for one in found:
            if one.row.chunk == 0:
                heads[one.head] = one.row.version, one.row.state
            else:
                bodies.append(one)
        unknown = {one.head for one in bodies if heads.get(one.head, _NO_HEAD)[0] != one.row.version}
        if unknown:
            read = self._reader.lookup(sorted(unknown), STATE_FIELDS)
            heads |= {key: _state(read[key]) if key in read else _NO_HEAD for key in unknown}

    def _scores(
        self,
        query: SearchQuery,
        wanted: Sequence[Vector | SparseVector | None],
        others: Sequence[Sequence[FoundPassage]],
    ) -> list[Mapping[PointKey, float]]:
        """For each of `wanted`, the scores of points that another retrieval found."""
        corpus = corpus_of(query)
        asked = {
            number: Retrieval(one, [WithIds(tuple([point.id for point in points]))], len(points), corpus=corpus)
            for number, (one, points) in enumerate(zip(wanted, others, strict=True))
            if one is not None and points
        }
        scores = dict(zip(asked, self._reader.scores([*asked.values()]), strict=True))
        return [scores.get(number, {}) for number in range(len(wanted))]

    def heads_of(self, ids: set[str]) -> dict[str, Row]:
        """The heads with these ids, by id, of those that exist."""
        found = self._reader.lookup(sorted(ids), HEAD_FIELDS) if ids else {}
        return {key: row_of(payload) for key, payload in found.items()}


def _state(head: Mapping[str, object]) -> tuple[int, str]:
    """Version and state."""
    version = head.get("version")
    return version if isinstance(version, int) else -1, str(head.get("state", LIVE))


def _alone(term: int) -> SparseVector:
    return SparseVector(np.array([term], np.uint32), np.ones(1, np.float32))


def _of_tenant(found: Sequence[FoundPassage], tenant_id: str) -> list[FoundPassage]:
    """The tenant's points: a second check, in case the engine's filter fails or a hash collides."""
    return [point for point in found if point.row.tenant_id == tenant_id]
