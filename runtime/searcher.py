"""Searches by text: asks the worker that owns the embedded index, or opens the index itself."""

import time
from contextlib import ExitStack
from typing import Final, Protocol

from connectors.qdrant.lock import InUseError, find_owner
from core.index import SearchHit, SearchQuery
from core.protocols import Embedder, IndexReader
from core.settings import IndexSettings, Settings
from operators.redact import redact_text
from runtime.control import WorkerClient, WorkerStatus, require_question
from runtime.index import open_index_for_reading
from runtime.model import open_embedder

#: How long a worker may take from opening the index to answering.
_WORKER_START_S: Final = 5.0
_RETRY_S: Final = 0.1


class Searcher(Protocol):
    """Answers questions. Safe to use from any thread."""

    def search(self, text: str, query: SearchQuery) -> list[SearchHit]:
        """The tenant's tickets nearest in meaning to `text`, best first.

        Raises:
            ConfigError: the question is too long or not Unicode.
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
        require_question(text)
        return self._index.search(query, self._embedder.embed([redact_text(text)], "query")[0])

    def status(self) -> WorkerStatus:
        """See `Searcher`. The fields that only a running worker knows are 0 or None."""
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
    """The worker that owns the embedded index, if one is running; else the index, opened for reading.

    A worker that starts at the same time is waited for.

    Raises:
        NoIndexError: the index doesn't exist.
        ConfigError: the index is of another model, or a process that doesn't answer searches is using it.
        UnavailableError: the index server or the model isn't available.
    """
    worker = _find_worker(settings.index)
    if worker is not None:
        return worker
    embedder = open_embedder(settings.model)
    deadline = time.monotonic() + _WORKER_START_S
    while True:
        try:
            return IndexSearcher(index=open_index_for_reading(settings.index, embedder, stack), embedder=embedder)
        except InUseError:
            worker = _find_worker(settings.index)
            if worker is not None:
                return worker
            if time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_S)


def _find_worker(settings: IndexSettings) -> WorkerClient | None:
    owner = find_owner(settings.path) if settings.url is None else None
    if owner is None or owner.address is None:
        return None
    return WorkerClient(owner, timeout_s=settings.timeout_s)
