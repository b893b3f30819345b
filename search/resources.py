"""The resources of a search: index, model and language detector."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from core.index import Candidate, SearchQuery, Thread
from core.protocols import Embedder
from core.records import SparseVector, Vector
from operators.language import Detector


class Passages(Protocol):
    """The part of `core.protocols.IndexReader` that searches use."""

    def candidates(self, query: SearchQuery, vector: Vector | None, terms: SparseVector | None) -> list[Candidate]:
        """See `IndexReader`."""
        ...

    def known(self, tenant_id: str, term_ids: Sequence[int], *, public_only: bool = False) -> frozenset[int]:
        """See `IndexReader`."""
        ...

    def thread(
        self, tenant_id: str, ticket_id: str, *, vectors: bool = False, public_only: bool = False
    ) -> Thread | None:
        """See `IndexReader`."""
        ...


class Resources(Struct, frozen=True, eq=False):
    """The index, the model and the language detector of a search."""

    index: Passages
    embedder: Embedder
    detector: Detector
