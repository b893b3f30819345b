"""The client of a worker's control API, which serves queries of the embedded index while the worker has it open."""

import urllib.error
import urllib.request
from http.client import HTTPException
from typing import TypeVar

import msgspec
from msgspec import Struct

from connectors.qdrant.lock import Owner
from core.errors import UnavailableError
from core.records import SearchHit, SearchQuery

T = TypeVar("T")


class SearchRequest(Struct, frozen=True):
    """The body of POST /search."""

    text: str
    query: SearchQuery


class WorkerStatus(Struct, frozen=True, kw_only=True):
    """The answer to GET /status."""

    model: str
    points: int
    tombstones: int
    inflight: int
    freshness_s: float | None
    outage: str | None


class _Refusal(Struct, frozen=True):
    """The answer to a request that failed."""

    error: str


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
        worker = f"the worker (process {self._owner.pid})"
        try:
            return msgspec.json.decode(self._send(path, body), type=answer)
        except urllib.error.HTTPError as error:
            raise UnavailableError(f"{worker} rejected the request: {_reason(error)}") from None
        except OSError as error:
            raise UnavailableError(f"{worker} does not answer: {error}") from None
        except (HTTPException, msgspec.DecodeError):
            raise UnavailableError(
                f"{worker} closed the connection before its answer was complete; it may have exited, so try again"
            ) from None

    def _send(self, path: str, body: bytes | None) -> bytes:
        headers = {"Authorization": f"Bearer {self._owner.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._owner.address}{path}", data=body, headers=headers)  # noqa: S310 - always http on loopback
        with urllib.request.urlopen(request, timeout=self._timeout_s) as response:  # noqa: S310 - likewise
            content: bytes = response.read()
        return content


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        return msgspec.json.decode(error.read(), type=_Refusal).error
    except (OSError, HTTPException, msgspec.DecodeError):  # the worker ended meanwhile
        return str(error)
