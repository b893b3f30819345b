"""The client of a worker's control port: it answers for the embedded index while it owns that."""

import urllib.error
import urllib.request
from http.client import HTTPException
from typing import TypeVar

import msgspec
from msgspec import Struct

from connectors.qdrant.ownership import Owner
from core.errors import UnavailableError
from core.records import SearchHit, SearchQuery

T = TypeVar("T")


class SearchRequest(Struct, frozen=True):
    """Body of POST /search."""

    text: str
    query: SearchQuery


class WorkerStatus(Struct, frozen=True, kw_only=True):
    """Answer of GET /status."""

    model: str
    points: int
    tombstones: int
    inflight: int
    freshness_s: float | None
    outage: str | None


class WorkerClient:
    """Implements `runtime.searcher.Searcher` over HTTP, on loopback."""

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
