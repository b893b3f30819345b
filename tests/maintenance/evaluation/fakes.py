"""A searcher with given answers."""

from collections.abc import Mapping, Sequence

from core.index import SearchQuery, Thread
from runtime.control import WorkerStatus
from search.result import Answer
from tests.search.cases import hit


class FakeSearcher:
    """Implements `runtime.searcher.Searcher`: ticket ids by question. `limits` records the queries' limits."""

    def __init__(self, answers: Mapping[str, Sequence[str]]) -> None:
        self._answers = answers
        self.limits: list[int] = []

    def search(self, text: str, query: SearchQuery, *, plain: bool = False) -> Answer:
        """The given tickets; without any, nothing is found."""
        del plain
        self.limits.append(query.limit)
        hits = tuple(map(hit, self._answers.get(text, ())))
        return Answer(hits=hits, nothing=not hits)

    def similar(self, ticket_id: str, query: SearchQuery, *, plain: bool = False) -> Answer:
        """The tickets given for the ticket's id."""
        return self.search(ticket_id, query, plain=plain)

    def threads(self, tenant_id: str, ticket_ids: Sequence[str], *, public_only: bool = False) -> tuple[Thread, ...]:
        """No threads."""
        del tenant_id, ticket_ids, public_only
        return ()

    def warning(self) -> str | None:
        """None."""
        return None

    def status(self) -> WorkerStatus:
        """An empty index."""
        return WorkerStatus(model="fake", points=0, tombstones=0, inflight=0, freshness_s=None, outage=None)
