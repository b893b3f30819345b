"""What the rooms need of each other, as Protocols: a composition root decides who serves them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, Protocol, TypeVar

from core.records import IndexedTicket, IndexSize, Rejected, SearchHit, SearchQuery, TicketPoints, Vector

#: What a text is to a search: what is found, or what is asked.
TextKind = Literal["passage", "query"]


class Tokenizer(Protocol):
    """Cuts text as the embedding model does."""

    def spans(self, texts: Sequence[str]) -> Sequence[Sequence[tuple[int, int]]]:
        """Character spans [start, end) of each text's tokens, special tokens left out, nothing cut off.

        Their number is often all that is asked for: `len` must be cheap.
        """
        ...


class ModelTokenizer(Tokenizer, Protocol):
    """The tokenizer of a model, which knows how much that reads."""

    @property
    def max_tokens(self) -> int:
        """The longest text it reads whole, in tokens; special tokens and the model's own prefixes not counted."""
        ...


class Embedder(ModelTokenizer, Protocol):
    """Texts in, vectors out. A text's vector does not depend on its batch mates. Safe to call from threads."""

    @property
    def dimension(self) -> int: ...

    @property
    def stamp(self) -> str:
        """Names the model and its exact weights; two embedders of one stamp give the same vectors."""
        ...

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> Vector:
        """float32[len(texts), dimension], each row of length 1. Some models want to be told a question from a text."""
        ...


class CustomerDirectory(Protocol):
    """Context on a customer, as of now."""

    def lookup(self, tenant_id: str, customer_id: str) -> Mapping[str, str] | None:
        """Facts by name, or None for a customer it doesn't know.

        Raises:
            TransientError: the directory can't be reached.
        """
        ...


T_contra = TypeVar("T_contra", contravariant=True)


class Sink(Protocol[T_contra]):
    """Where a stage's results go: the index, or the topic that the next stage reads. Called from several threads."""

    def write(self, tickets: Sequence[T_contra], /) -> None:
        """Durable on return. May be applied partly when it raises; the same call again completes it.

        Raises:
            TransientError: an outage; nothing is known about what was applied.
            RefusedError: some of the tickets can't be taken; the others may be when they are written without them.
            FatalError: no waiting mends it.
        """
        ...


class IndexReader(Protocol):
    """Answers questions about the points of an index. Every method may be called from several threads."""

    def search(self, query: SearchQuery, vector: Vector) -> list[SearchHit]:
        """The tenant's tickets nearest to `vector`, best first, each once. Never a deleted or stale one.

        Raises:
            TransientError: an outage.
        """
        ...

    def tickets(self) -> Iterator[IndexedTicket]:
        """Every ticket the index knows, deleted ones included, in no order."""
        ...

    def size(self) -> IndexSize: ...

    def close(self) -> None:
        """Release the index; idempotent."""
        ...


class Index(IndexReader, Protocol):
    """An index that can be written to as well: a sink of points."""

    def write(self, tickets: Sequence[TicketPoints]) -> None:
        """Apply each ticket's version unless the index holds a newer or equal one; durable on return.

        Order and repetition don't matter: the highest version wins, deletes included. May be applied partly
        when it raises; the same call again completes it.

        Raises:
            TransientError: an outage; nothing is known about what was applied.
            RefusedError: some of the tickets can't be indexed, for a vector that is not finite, is zero or of the
                wrong size, say; the others may be when they are written without them.
            FatalError: the collection no longer fits.
        """
        ...


class DeadLetters(Protocol):
    """Where rejected records go."""

    def publish(self, rejected: Sequence[Rejected]) -> None:
        """Durable on return.

        Raises:
            TransientError: an outage.
        """
        ...
