"""A question is treated as a ticket's text is, so that question and index can't drift apart."""

from core.ports import Embedder, Index
from core.records import SearchHit, SearchQuery
from operators.redact import redact_text


class Searcher:
    """Text in, tickets out. Safe to use from any thread."""

    def __init__(self, *, index: Index, embedder: Embedder) -> None:
        self._index = index
        self._embedder = embedder

    def search(self, text: str, query: SearchQuery) -> list[SearchHit]:
        """The tenant's tickets nearest in meaning to `text`, best first.

        Raises:
            TransientError: the index is out.
        """
        return self._index.search(query, self._embedder.embed([redact_text(text)], "query")[0])
