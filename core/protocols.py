"""Protocols between the packages. A composition root chooses the implementations."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, Protocol, TypeVar

from core.index import Candidate, IndexedTicket, IndexSize, LabelledVector, SearchQuery, Thread
from core.provenance import Provenance
from core.records import Label, LabelKind, Rejected, SparseVector, TicketPoints, Vector

#: A stored passage, or the text of a search.
TextKind = Literal["passage", "query"]


class Tokenizer(Protocol):
    """Splits text into the embedding model's tokens."""

    def spans(self, texts: Sequence[str]) -> Sequence[Sequence[tuple[int, int]]]:
        """Character spans [start, end) of each text's tokens, without special tokens and never truncated.

        Callers often need only their number: `len` must be cheap.
        """
        ...


class ModelTokenizer(Tokenizer, Protocol):
    """A model's tokenizer, which also knows the model's maximum input length."""

    @property
    def max_tokens(self) -> int:
        """Longest text that is not truncated, in tokens, excluding special tokens and the model's own prefixes."""
        ...


class Embedder(ModelTokenizer, Protocol):
    """Texts in, vectors out. A text's vector does not depend on the other texts in its batch. Thread-safe."""

    @property
    def dimension(self) -> int: ...

    @property
    def stamp(self) -> str:
        """Identifies the model and its exact weights. Embedders with the same stamp produce comparable vectors."""
        ...

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> Vector:
        """float32[len(texts), dimension], each row of norm 1. Some models embed queries and passages differently.

        Raises:
            TransientError: the service that runs the model is unavailable.
            RefusedTextsError: it refuses some of the texts.
            FatalError: it can't be called.
        """
        ...


class Labeller(Protocol):
    """Chooses a ticket's labels by its first passage alone. They are the same on every machine. Thread-safe."""

    @property
    def stamp(self) -> str:
        """Identifies everything that the labels depend on, apart from the passage."""
        ...

    def labels(self, vector: Vector, terms: SparseVector | None, kinds: Sequence[LabelKind]) -> dict[LabelKind, Label]:
        """Labels of these kinds by the vector of the ticket's first passage, float32[dim]; none where in doubt.

        `terms` are those of the same passage, as the index has them; None if it was indexed without.
        """
        ...


class CustomerDirectory(Protocol):
    """Current facts about customers."""

    def lookup(self, tenant_id: str, customer_id: str) -> Mapping[str, str] | None:
        """Facts by name, or None for an unknown customer.

        Raises:
            TransientError: the directory can't be reached.
        """
        ...


T_contra = TypeVar("T_contra", contravariant=True)


class Sink(Protocol[T_contra]):
    """The destination of results: the index, or the topic that the next role reads. Called from several threads."""

    def write(self, tickets: Sequence[T_contra], /) -> None:
        """Durable on return. A call that raises may have been applied in part; repeating it completes it.

        Raises:
            TransientError: an outage; any part of the call may have been applied.
            RefusedError: some of the tickets can't be stored; the others may be accepted without them.
            FatalError: no retry fixes it.
        """
        ...


class IndexReader(Protocol):
    """Reads and searches the points of an index. Every method may be called from several threads."""

    def candidates(self, query: SearchQuery, vector: Vector | None, terms: SparseVector | None) -> list[Candidate]:
        """The tenant's passages that are nearest to `vector`, and those with the highest BM25 score for `terms`.

        Each has both scores. They are a few of the best passages of each of at least `query.limit` tickets, by either
        score, if that many match. They are never of deleted tickets or of other versions than the current one, and in
        no particular order.

        Raises:
            TransientError: an outage.
        """
        ...

    def known(self, tenant_id: str, term_ids: Sequence[int], *, public_only: bool = False) -> frozenset[int]:
        """The terms that occur in the tenant's passages.

        Raises:
            TransientError: an outage.
        """
        ...

    def thread(
        self, tenant_id: str, ticket_id: str, *, vectors: bool = False, public_only: bool = False
    ) -> Thread | None:
        """The current version of a ticket; None if there is no such ticket or it is deleted.

        While a newer version is being written, passages that it has replaced already may be missing.

        Raises:
            TransientError: an outage.
        """
        ...

    def tickets(self) -> Iterator[IndexedTicket]:
        """Every ticket in the index, including deleted ones, in arbitrary order."""
        ...

    def labelled(self) -> Iterator[LabelledVector]:
        """The first passage of every live ticket whose producer gave it a label, in pseudorandom order."""
        ...

    def size(self) -> IndexSize: ...

    def origin(self) -> Provenance | None:
        """The provenance of the index; None if it was written by a version that didn't note it.

        Raises:
            TransientError: an outage.
        """
        ...

    def close(self) -> None:
        """Release the index; idempotent."""
        ...


class Index(IndexReader, Protocol):
    """An index that can also be written: a sink of points."""

    def write(self, tickets: Sequence[TicketPoints]) -> None:
        """Apply each ticket's version unless the index holds an equal or newer one; durable on return.

        Idempotent, and independent of order: the highest version wins, deletes included. A call that raises may have
        been applied in part; repeating it completes it.

        Raises:
            TransientError: an outage; any part of the call may have been applied.
            RefusedError: some of the tickets can't be indexed, because of a vector that is zero, not finite or of the
                wrong size, for example; the others may be accepted without them.
            FatalError: the collection's schema or vector size no longer matches.
        """
        ...

    def overwrite(self, tickets: Sequence[TicketPoints]) -> None:
        """Like `write`, but also replaces an equal version, for tickets that the log contradicts.

        A ticket is never missing, and an interrupted call leaves its old state or its new one in the list.
        """
        ...

    def remove(self, tickets: Sequence[IndexedTicket]) -> None:
        """Remove tickets without a tombstone, each unless the index now holds a newer version; durable on return.

        For tickets that are not in the log: a tombstone would outrank their next event.

        Raises:
            TransientError: an outage; repeating the call completes it.
        """
        ...


class DeadLetters(Protocol):
    """The destination of rejected records."""

    def publish(self, rejected: Sequence[Rejected]) -> None:
        """Durable on return.

        Raises:
            TransientError: an outage.
        """
        ...
