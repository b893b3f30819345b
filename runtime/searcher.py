"""Searches by text, in the index itself or through the worker that owns it."""

from contextlib import ExitStack
from typing import Protocol

from connectors.qdrant.lock import find_owner
from core.protocols import Embedder, IndexReader
from core.records import SearchHit, SearchQuery
from core.settings import Settings
from operators.redact import redact_text
from runtime.control import WorkerClient, WorkerStatus
from runtime.index import open_index_for_reading
from runtime.model import open_embedder


class Searcher(Protocol):
    """Answers questions. Safe to use from any thread."""

    def search(self, text: str, query: SearchQuery) -> list[SearchHit]:
        """The tenant's tickets nearest in meaning to `text`, best first.

        Raises:
            TransientError, UnavailableError: the index, or the worker that owns it, doesn't answer.
        """
        ...

    def status(self) -> WorkerStatus:
        """The model and size of the index, and the state of its worker."""
        ...


class IndexSearcher:
    """Implements `Searcher` on an index. Questions are redacted as tickets' texts are, so that both embed alike."""

    def __init__(self, *, index: IndexReader, embedder: Embedder) -> None:
        self._index = index
        self._embedder = embedder

    def search(self, text: str, query: SearchQuery) -> list[SearchHit]:
        """See `Searcher`."""
        return self._index.search(query, self._embedder.embed([redact_text(text)], "query")[0])

    def status(self) -> WorkerStatus:
        """See `Searcher`. The values of a worker are empty."""
        size = self._index.size()
        return WorkerStatus(
            model=self._embedder.stamp,
            points=size.points,
            tombstones=size.tombstones,
            inflight=0,
            freshness_s=None,
            outage=None,
        )


def open_searcher(settings: Settings, stack: ExitStack) -> Searcher:
    """A client of the running worker if it owns the embedded index, else the index itself, opened for reading.

    Raises:
        ConfigError: the index belongs to another model, or doesn't exist.
        UnavailableError: the index, the worker or the model is unavailable.
    """
    owner = find_owner(settings.index.path) if settings.index.url is None else None
    if owner is not None and owner.address is not None:
        return WorkerClient(owner, timeout_s=settings.index.timeout_s)
    embedder = open_embedder(settings.model)
    index = open_index_for_reading(settings.index, embedder, stack)
    return IndexSearcher(index=index, embedder=embedder)
