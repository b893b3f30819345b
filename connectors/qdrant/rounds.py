"""A retrieval in rounds: it asks for more points until it has found the passages of enough tickets."""

from collections.abc import Sequence
from typing import Final

from connectors.qdrant.engine import AnyOf, Condition, FoundPassage, OfTickets, PointKey, Retrieval
from connectors.qdrant.filters import corpus_of, filters_of
from core.index import SearchQuery
from core.records import SparseVector, Vector

#: The first round asks for this many points per ticket, as some points share a ticket.
_SPARE: Final = 2
#: Minimum and maximum points of a round. They are in memory at once, with their texts.
_MIN_FETCH: Final = 20
_MAX_FETCH: Final = 2_048


class Rounds:
    """One retrieval of a search, for a vector or for terms; without either, it finds nothing.

    The engine finds points, and one ticket may have thousands. So each round excludes the tickets that were already
    found, and asks for more points if the last round found too few tickets.
    """

    def __init__(
        self, query: SearchQuery, wanted: Vector | SparseVector | None, also: Sequence[Condition] = ()
    ) -> None:
        """Find passages that meet the query's filters and all of `also`."""
        conditions, self._unless = filters_of(query)
        self._conditions = [*conditions, *also]
        self._corpus = corpus_of(query) if isinstance(wanted, SparseVector) else []
        self._query = query
        self._wanted = wanted
        self._fetch = min(max(query.limit * _SPARE, _MIN_FETCH), _MAX_FETCH)
        self._seen: dict[str, None] = {}
        self._tickets: set[str] = set()
        self._complete = False
        #: The passages found, best first in each round, by key.
        self.passages: dict[PointKey, FoundPassage] = {}
        #: The head's version of the tickets of which only chunks of other versions were found.
        self.rewritten: dict[str, int] = {}

    @property
    def tickets(self) -> int:
        """Number of tickets found."""
        return len(self._tickets)

    def next(self) -> Retrieval | None:
        """The next request to the engine; None if enough tickets were found, or if there are no more."""
        if self._complete or self._wanted is None:
            return None
        unless = [*self._unless, OfTickets(tuple(self._seen))] if self._seen else self._unless
        return Retrieval(self._wanted, self._conditions, self._fetch, unless, self._corpus)

    def take(self, found: Sequence[FoundPassage], current: Sequence[FoundPassage], outdated: dict[str, int]) -> None:
        """Add a round's result: all that the engine found, and of that the current passages and outdated tickets."""
        for one in current:
            self.passages[one.key] = one
            self._tickets.add(one.row.ticket_id)
        self.rewritten |= outdated
        self._complete = len(self._tickets) >= self._query.limit or len(found) < self._fetch
        if not self._complete:
            self._seen |= dict.fromkeys([one.head for one in found])
            self._fetch = min(self._fetch * 2, _MAX_FETCH)

    def of_rewritten(self) -> "Rounds | None":
        """The retrieval of the complete versions' chunks, for the tickets of which only other versions were found."""
        if not self.rewritten:
            return None
        whole = OfTickets(tuple(self.rewritten)), AnyOf("version", tuple({*self.rewritten.values()}))
        return Rounds(self._query, self._wanted, whole)
