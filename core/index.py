"""Questions to an index, and its answers."""

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Final

from msgspec import Struct

from core.errors import ConfigError
from core.payload import PayloadValue
from core.records import SparseVector, Vector

#: Maximum tickets of a search. Their passages are in memory at once.
MAX_HITS: Final = 1_000
#: Maximum threads that are read at once.
MAX_THREADS: Final = 50
_MAX_FILTER_VALUES: Final = 100
#: Milliseconds of 9999-12-31 since 1970.
_MAX_MS: Final = 253_402_300_799_999


class SearchQuery(Struct, frozen=True, kw_only=True):
    """A search in one tenant's tickets. A tuple filter matches any of its values, an empty one matches everything.

    Attributes:
        role: authors of the passages to find.
        solved: whether the ticket is solved; None finds both.
        updated_after_ms: at this time or later; `before` is exclusive. So are the other times.
        solved_after_ms: finds solved tickets only, as `solved_before_ms` does.
        public_only: leaves internal notes out.

    Raises:
        ConfigError: the limit, a time or the number of a filter's values is out of bounds, or a text is not Unicode.
    """

    tenant_id: str
    limit: int = 10
    status: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    channel: tuple[str, ...] = ()
    updated_after_ms: int | None = None
    updated_before_ms: int | None = None
    customer_id: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()
    role: tuple[str, ...] = ()
    solved: bool | None = None
    solved_after_ms: int | None = None
    solved_before_ms: int | None = None
    created_after_ms: int | None = None
    created_before_ms: int | None = None
    public_only: bool = False

    def __post_init__(self) -> None:
        """Check the bounds, beyond which each engine would fail in its own way."""
        _require_limit(self.limit)
        filters = (
            *(self.status, self.category, self.language, self.channel),
            *(self.customer_id, self.priority, self.role),
        )
        if max(map(len, filters)) > _MAX_FILTER_VALUES:
            raise ConfigError(f"a filter of a search has at most {_MAX_FILTER_VALUES} values")
        moments = (
            *(self.updated_after_ms, self.updated_before_ms, self.created_after_ms, self.created_before_ms),
            *(self.solved_after_ms, self.solved_before_ms),
        )
        for moment in moments:
            if moment is not None and abs(moment) > _MAX_MS:
                raise ConfigError("a time of a search is beyond the year 9999")
        require_unicode(self.tenant_id, *chain(*filters))


def _require_limit(limit: int) -> None:
    if not 1 <= limit <= MAX_HITS:
        raise ConfigError(f"a search can find 1 to {MAX_HITS:,} tickets, not {limit:,}")


def require_unicode(*texts: str) -> None:
    """Refuse texts with half a character, which JSON and Protocol Buffers can't carry.

    Raises:
        ConfigError: one of them has a lone surrogate, as arguments have that are not UTF-8.
    """
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        raise ConfigError("the question, tenant or a filter is not valid Unicode; write it in UTF-8") from None


class Facts(Struct, frozen=True, kw_only=True, gc=False):
    """The fields of a passage's payload that a search reads of every candidate (`core.payload.Payload`)."""

    subject: str = ""
    language: str | None = None
    status: str | None = None
    category: str | None = None
    channel: str | None = None
    priority: str | None = None
    solved: str | None = None
    updated_at: int | None = None


class Candidate(Struct, frozen=True, eq=False):
    """A passage that may answer a question.

    Attributes:
        similarity: cosine similarity to the question's vector; 0 without one.
        words: BM25 score of the question's terms, with the rarity of a term in the tenant's passages alone; 0 where
            none occurs.
        payload: a function that reads the whole payload; a search calls it for the few passages that it shows, because
            it is slow. Answers show some fields of it only (`core.payload.shown`).
    """

    tenant_id: str
    ticket_id: str
    version: int
    chunk: int
    passage: str
    facts: Facts
    payload: Callable[[], Mapping[str, PayloadValue]]
    similarity: float
    words: float


class ThreadPassage(Struct, frozen=True, eq=False):
    """A passage of a thread, with the other fields of its payload. `vector` is None unless it was asked for."""

    chunk: int
    passage: str
    payload: Mapping[str, PayloadValue]
    vector: Vector | None = None


class Thread(Struct, frozen=True, eq=False):
    """The passages of a ticket's current version, in order."""

    tenant_id: str
    ticket_id: str
    version: int
    passages: tuple[ThreadPassage, ...]


class IndexedTicket(Struct, frozen=True):
    """A ticket in the index, for reconciliation: its version, and its number of live chunks."""

    tenant_id: str
    ticket_id: str
    version: int
    chunks: int
    deleted: bool


class LabelledVector(Struct, frozen=True, eq=False):
    """The vector and terms of a ticket's first passage, with the labels that its producer gave it."""

    vector: Vector
    category: str | None
    priority: str | None
    terms: SparseVector | None = None


class IndexSize(Struct, frozen=True):
    """Number of points, of the tombstones among them, and of the tickets that are not deleted."""

    points: int
    tombstones: int
    tickets: int
