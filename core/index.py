"""Questions to an index, and its answers."""

from collections.abc import Mapping
from itertools import chain
from typing import Final

from msgspec import Struct

from core.errors import ConfigError
from core.payload import PayloadValue

#: Maximum tickets of a search. Their passages are in memory at once.
MAX_HITS: Final = 1_000
_MAX_FILTER_VALUES: Final = 100
#: Milliseconds of 9999-12-31 since 1970.
_MAX_MS: Final = 253_402_300_799_999


class SearchQuery(Struct, frozen=True, kw_only=True):
    """A search in one tenant's tickets. A tuple filter matches any of its values, an empty one matches everything.

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
    public_only: bool = False

    def __post_init__(self) -> None:
        """Check the bounds; an engine would fail on what is beyond them, each in its own way."""
        if not 1 <= self.limit <= MAX_HITS:
            raise ConfigError(f"a search can find 1 to {MAX_HITS:,} tickets, not {self.limit:,}")
        filters = (self.status, self.category, self.language, self.channel)
        if max(map(len, filters)) > _MAX_FILTER_VALUES:
            raise ConfigError(f"a filter of a search has at most {_MAX_FILTER_VALUES} values")
        for moment in (self.updated_after_ms, self.updated_before_ms):
            if moment is not None and abs(moment) > _MAX_MS:
                raise ConfigError("a time of a search is beyond the year 9999")
        require_unicode(self.tenant_id, *chain(*filters))


def require_unicode(*texts: str) -> None:
    """Refuse texts with half a character, which JSON and Protocol Buffers can't carry.

    Raises:
        ConfigError: one of them has a lone surrogate, as arguments have that are not UTF-8.
    """
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        raise ConfigError("the question, tenant or a filter is not valid Unicode; write it in UTF-8") from None


class SearchHit(Struct, frozen=True):
    """A ticket found.

    Attributes:
        score: cosine similarity of its best passage.
        passage: the text of that passage.
        payload: the other fields of the passage's payload.
    """

    tenant_id: str
    ticket_id: str
    version: int
    score: float
    passage: str
    payload: Mapping[str, PayloadValue]


class IndexedTicket(Struct, frozen=True):
    """A ticket in the index, for reconciliation: its version, and its number of live chunks."""

    tenant_id: str
    ticket_id: str
    version: int
    chunks: int
    deleted: bool


class IndexSize(Struct, frozen=True):
    """Number of points, of the tombstones among them, and of the tickets that are not deleted."""

    points: int
    tombstones: int
    tickets: int
