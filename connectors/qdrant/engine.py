"""Protocols of an engine, which stores and finds points: one for reading, and one for writing too."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from connectors.qdrant.layout import Row
from core.errors import UnavailableError
from core.records import Point, SparseVector, Vector

#: A stored payload: JSON values by field.
Stored = dict[str, object]

#: A point's id in the type that its engine reads fastest.
EngineId = int | UUID | str

#: A point's id in a type that is fast to look up: a UUID's hash is computed in Python.
PointKey = int | str


class NoIndexError(UnavailableError):
    """The index that the settings name hasn't been created yet."""


class AnyOf(Struct, frozen=True):
    """The field has one of these values."""

    field: str
    values: tuple[str | int, ...]


class Between(Struct, frozen=True):
    """`least` <= field < `below`; a bound that is None doesn't apply."""

    field: str
    least: int | None = None
    below: int | None = None


class OfTickets(Struct, frozen=True):
    """The point belongs to one of the tickets with these heads' ids."""

    heads: tuple[str, ...]


class WithIds(Struct, frozen=True):
    """The point has one of these ids."""

    ids: tuple[EngineId, ...]


class WithTerms(Struct, frozen=True):
    """The point has terms."""


Condition = AnyOf | Between | OfTickets | WithIds | WithTerms


class Upsert(Struct, frozen=True, eq=False):
    """Points, each to be written if `least` <= its stored version < `below`, or if it isn't stored yet."""

    points: Sequence[Point]
    below: int
    least: int | None = None


class Found(Struct, frozen=True, eq=False):
    """A stored point. `vector` and `terms` are None unless they were asked for."""

    id: str
    payload: Stored
    vector: Sequence[float] | None = None
    terms: SparseVector | None = None


class FoundPassage(Struct, frozen=True, eq=False):
    """A point that a search found. The score is its cosine similarity or its BM25 score.

    `head` is the id of its ticket's head. `payload` reads the whole payload: a search needs that of a few points only.
    """

    id: EngineId
    key: PointKey
    head: str
    row: Row
    payload: Callable[[], Stored]
    score: float


class Retrieval(Struct, frozen=True, eq=False):
    """A search for the points that are most similar to a vector, or that have the highest BM25 score for some terms.

    Attributes:
        wanted: the vector or the terms. Terms find nothing if the engine or the index has none.
        conditions: a point must meet all of them.
        limit: maximum number of points.
        unless: a point must meet none of them.
        corpus: a term's rarity is counted among the points that meet all of them, or among all points if it is empty.
    """

    wanted: Vector | SparseVector
    conditions: Sequence[Condition]
    limit: int
    unless: Sequence[Condition] = ()
    corpus: Sequence[Condition] = ()

    @property
    def by_words(self) -> bool:
        """Whether it searches for terms."""
        return isinstance(self.wanted, SparseVector)


class EngineReader(Protocol):
    """Finds points. Every method may be called from several threads.

    Raises:
        TransientError: an outage.
        FatalError: the request can't succeed.
    """

    @property
    def dimension(self) -> int:
        """Size of the vectors it stores."""
        ...

    def lookup(self, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Stored]:
        """These payload fields, by id, of those points that exist."""
        ...

    def search(self, retrievals: Sequence[Retrieval]) -> Sequence[Sequence[FoundPassage]]:
        """The points that each retrieval finds, best first."""
        ...

    def scores(self, retrievals: Sequence[Retrieval]) -> Sequence[Mapping[PointKey, float]]:
        """The scores of the points that each retrieval finds, by key."""
        ...

    def scan(
        self,
        conditions: Sequence[Condition],
        unless: Sequence[Condition] = (),
        *,
        fields: Sequence[str] | None = None,
        vectors: bool = False,
        majority: bool = False,
    ) -> Iterator[Found]:
        """Every point that meets all `conditions` and none of `unless`, ordered by id; None means all fields.

        `majority`: read from a majority of the replicas, because a single one may be behind.
        """
        ...

    def count(self, conditions: Sequence[Condition]) -> int:
        """Number of points that meet every condition."""
        ...

    def close(self) -> None:
        """Release the engine. Idempotent."""
        ...


class Engine(EngineReader, Protocol):
    """Finds and writes points.

    Raises:
        RefusedError: a point can't be written, because of its content.
    """

    def write(self, upserts: Sequence[Upsert], *, ordered: bool = False) -> None:
        """Apply each in order; durable on return. Comparing and writing a point is atomic among all writers.

        `ordered`: every replica applies such writes in the same order. The order of other writes may differ, which
        changes nothing where the highest version wins.
        """
        ...

    def delete(self, ids: Sequence[str], *, below: int) -> None:
        """Delete points whose stored version is below `below`, without a tombstone; durable on return.

        Comparing and deleting a point is atomic among all writers.
        """
        ...

    def require_in_place(self) -> None:
        """Check that the files that were opened are still the index.

        Raises:
            FatalError: they were removed, or replaced by others.
        """
        ...
