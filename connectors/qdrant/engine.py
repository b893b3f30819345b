"""What the policy needs of an engine: conditional upserts, lookups by id, filtered nearest-neighbour search."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from msgspec import Struct

from core.records import Point, Vector


class AnyOf(Struct, frozen=True):
    """The field has one of these values."""

    field: str
    values: tuple[str | int, ...]


class Between(Struct, frozen=True):
    """The field is at least `least` and below `below`, where given."""

    field: str
    least: int | None = None
    below: int | None = None


Condition = AnyOf | Between


class Upsert(Struct, frozen=True, eq=False):
    """Points to be written where the stored version is below `below`, or nothing is stored."""

    points: Sequence[Point]
    below: int


class Found(Struct, frozen=True, eq=False):
    """A point read back: `score` is its cosine similarity in a search, `vector` only where it was asked for."""

    id: str
    payload: dict[str, Any]
    score: float = 0.0
    vector: list[float] | None = None


class Engine(Protocol):
    """Every method may be called from several threads.

    Raises:
        TransientError: an outage.
        RefusedError: a point can't be written, for what is in it.
        FatalError: the request can't succeed.
    """

    @property
    def dimension(self) -> int:
        """Size of the vectors it was made for."""
        ...

    def write(self, upserts: Sequence[Upsert]) -> None:
        """Apply each in order; durable on return. Each compares and writes in one step, whoever else writes."""
        ...

    def lookup(self, ids: Sequence[str], fields: Sequence[str]) -> dict[str, dict[str, Any]]:
        """These payload fields of the points there are, by id."""
        ...

    def nearest(self, vector: Vector, conditions: Sequence[Condition], limit: int) -> list[Found]:
        """Points with a vector that meet every condition, most similar first."""
        ...

    def scan(
        self,
        conditions: Sequence[Condition],
        unless: Sequence[Condition] = (),
        *,
        fields: Sequence[str] | None = None,
        vectors: bool = False,
    ) -> Iterator[Found]:
        """Every point that meets all `conditions` and none of `unless`, in the order of ids; all fields for None."""
        ...

    def count(self, conditions: Sequence[Condition]) -> int:
        """How many points meet every condition."""
        ...

    def close(self) -> None:
        """Release it; twice is as good as once."""
        ...
