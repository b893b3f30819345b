"""Asking the index from the command line: the worker that owns it, or the index itself when nobody does."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPException
from typing import Protocol, TypeVar

import msgspec

from connectors.index.open import open_index
from connectors.index.ownership import Owner, find_owner
from core.errors import UnavailableError
from core.ports import Index
from core.records import SearchHit, SearchQuery
from core.settings import Settings
from services.control import SearchRequest, WorkerStatus
from worker.model import open_embedder
from worker.search import Searcher

T = TypeVar("T")


class Asking(Protocol):
    """Who answers questions."""

    def search(self, text: str, query: SearchQuery) -> list[SearchHit]: ...

    def status(self) -> WorkerStatus: ...


@contextmanager
def open_asking(settings: Settings) -> Iterator[Asking]:
    """Whoever can answer: the running worker when it owns the embedded index, else the index, opened here.

    Raises:
        ConfigError: the index is of another model.
        UnavailableError: the index, the worker or the model can't be had.
    """
    owner = find_owner(settings.index.path) if settings.index.url is None else None
    with ExitStack() as opened:
        if owner is not None and owner.address is not None:
            yield _Worker(owner, timeout_s=settings.index.timeout_s)
            return
        embedder = open_embedder(settings.model)
        index = open_index(settings.index, dimension=embedder.dimension, model=embedder.stamp)
        opened.callback(index.close)
        yield _Direct(index_searcher=Searcher(index=index, embedder=embedder), model=embedder.stamp, index=index)


class _Direct:
    def __init__(self, *, index_searcher: Searcher, model: str, index: Index) -> None:
        self._searcher = index_searcher
        self._model = model
        self._index = index

    def search(self, text: str, query: SearchQuery) -> list[SearchHit]:
        return self._searcher.search(text, query)

    def status(self) -> WorkerStatus:
        size = self._index.size()
        return WorkerStatus(
            model=self._model,
            points=size.points,
            tombstones=size.tombstones,
            inflight=0,
            freshness_s=None,
            outage=None,
        )


class _Worker:
    def __init__(self, owner: Owner, *, timeout_s: float) -> None:
        self._owner = owner
        self._timeout_s = timeout_s

    def search(self, text: str, query: SearchQuery) -> list[SearchHit]:
        body = msgspec.json.encode(SearchRequest(text=text, query=query))
        return self._ask("/search", body, list[SearchHit])

    def status(self) -> WorkerStatus:
        return self._ask("/status", None, WorkerStatus)

    def _ask(self, path: str, body: bytes | None, answer: type[T]) -> T:
        headers = {"Authorization": f"Bearer {self._owner.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._owner.address}{path}", data=body, headers=headers)  # noqa: S310 - always http on loopback
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_s) as response:  # noqa: S310 - likewise
                return msgspec.json.decode(response.read(), type=answer)
        except urllib.error.HTTPError as error:
            raise UnavailableError(f"the worker (process {self._owner.pid}) says: {error.read().decode()}") from None
        except OSError as error:
            raise UnavailableError(f"the worker (process {self._owner.pid}) does not answer: {error}") from None
        except (HTTPException, msgspec.DecodeError):
            raise UnavailableError(
                f"the worker (process {self._owner.pid}) broke off in its answer; it has ended, perhaps: ask again"
            ) from None
