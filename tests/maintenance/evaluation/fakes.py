"""A searcher whose answers are given."""

from collections.abc import Mapping, Sequence

from core.index import SearchHit, SearchQuery
from runtime.control import WorkerStatus


class FakeSearcher:
    """Implements `runtime.searcher.Searcher`: ticket ids by question. `limits` records the queries' limits."""

    def __init__(self, answers: Mapping[str, Sequence[str]]) -> None:
        self._answers = answers
        self.limits: list[int] = []

    def search(self, text: str, query: SearchQuery) -> list[SearchHit]:
        """The given tickets."""
        self.limits.append(query.limit)
        return [SearchHit(query.tenant_id, ticket_id, 1, 0.5, "", {}) for ticket_id in self._answers.get(text, ())]

    def warning(self) -> str | None:
        """None."""
        return None

    def status(self) -> WorkerStatus:
        """An empty index."""
        return WorkerStatus(model="fake", points=0, tombstones=0, inflight=0, freshness_s=None, outage=None)
