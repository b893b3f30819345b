"""An in-memory index that finds passages by brute force."""

from collections.abc import Mapping, Sequence
from math import log

import msgspec

from core.index import Candidate, SearchQuery, Thread, ThreadPassage
from core.payload import PayloadValue
from core.protocols import Embedder
from core.records import SparseVector, Vector
from operators.terms import passage_terms
from tests.search.cases import candidate_with

TENANT = "acme"


class FakePassages:
    """Implements `search.resources.Passages` on the passages of `add`. Filters by tenant, status, visibility only."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._rows: list[Candidate] = []
        self._vectors: list[Vector] = []
        self._terms: list[Mapping[int, float]] = []
        self.asked: list[SearchQuery] = []

    def add(self, ticket_id: str, *texts: str, **payload: PayloadValue) -> None:
        """Add a ticket of these passages, the first by a customer and the others by an agent."""
        for chunk, text in enumerate(texts):
            full = f"{payload.get('subject', '')}\n{text}"
            own: dict[str, PayloadValue] = {"role": "agent" if chunk else "customer", "message": chunk - 1, **payload}
            self._rows.append(candidate_with(own, ticket_id, text, similarity=0.0, chunk=chunk))
            self._vectors.append(self._embedder.embed([full])[0])
            terms = passage_terms(full)
            self._terms.append(dict(zip(terms.indices.tolist(), terms.values.tolist(), strict=True)))

    def candidates(self, query: SearchQuery, vector: Vector | None, terms: SparseVector | None) -> list[Candidate]:
        self.asked.append(query)
        found = []
        for row, own, weights in zip(self._rows, self._vectors, self._terms, strict=True):
            fits = not query.status or row.facts.status in query.status
            if row.tenant_id == query.tenant_id and fits and _may_read(row, public_only=query.public_only):
                similarity = 0.0 if vector is None else float(own @ vector)
                words = 0.0 if terms is None else sum(self._weight(one, weights) for one in terms.indices.tolist())
                found.append(msgspec.structs.replace(row, similarity=similarity, words=words))
        return found

    def known(self, tenant_id: str, term_ids: Sequence[int], *, public_only: bool = False) -> frozenset[int]:
        rows = zip(self._rows, self._terms, strict=True)
        mine = (
            weights for row, weights in rows if row.tenant_id == tenant_id and _may_read(row, public_only=public_only)
        )
        return frozenset(term_ids) & frozenset().union(*mine)

    def thread(
        self, tenant_id: str, ticket_id: str, *, vectors: bool = False, public_only: bool = False
    ) -> Thread | None:
        own = tuple(
            ThreadPassage(row.chunk, row.passage, row.payload(), vector if vectors else None)
            for row, vector in zip(self._rows, self._vectors, strict=True)
            if (row.tenant_id, row.ticket_id) == (tenant_id, ticket_id) and _may_read(row, public_only=public_only)
        )
        return Thread(tenant_id, ticket_id, 1, own) if own else None

    def _weight(self, term: int, weights: Mapping[int, float]) -> float:
        holders = sum(term in other for other in self._terms)
        return weights.get(term, 0.0) * log(1 + (len(self._terms) - holders + 0.5) / (holders + 0.5))


def _may_read(row: Candidate, *, public_only: bool) -> bool:
    return not public_only or row.payload().get("visibility") != "internal"
