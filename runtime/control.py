"""The client of a worker's control API, which serves queries of the embedded index while the worker has it open."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from http.client import HTTPException
from pathlib import Path
from random import uniform
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from connectors.qdrant.backup import Backup
from connectors.qdrant.lock import Owner
from core.errors import ConfigError, NoTicketError, TransientError, UnavailableError
from core.index import MAX_THREADS, SearchQuery, Thread, require_unicode
from core.provenance import Provenance
from search.result import Answer

T = TypeVar("T")


#: Maximum characters of a question. Models read some hundred words, but redaction takes time for all of it.
MAX_QUESTION: Final = 10_000
#: Maximum bytes of a request's body: a question in a script of three bytes per character, and its filters.
MAX_BODY: Final = 64 * 1024
_RETRY_S: Final = 1.0
#: A proxy of the environment must not get the worker's token and tickets.
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
#: User errors that the worker reports, by status.
_MISTAKES: Final = {400: ConfigError, 410: NoTicketError}
#: The worker is there, but can't do this: its index has an outage, or the request met a fault.
_FAILURES: Final = frozenset({500, 503})


class SearchRequest(Struct, frozen=True):
    """The body of POST /search. `plain` ranks by the match alone."""

    text: str
    query: SearchQuery
    plain: bool = False


class SimilarRequest(Struct, frozen=True):
    """The body of POST /similar."""

    ticket_id: str
    query: SearchQuery
    plain: bool = False


class ThreadsRequest(Struct, frozen=True):
    """The body of POST /threads. `public_only` leaves internal notes out.

    Raises:
        ConfigError: too many tickets, or an id that is not Unicode.
    """

    tenant_id: str
    ticket_ids: tuple[str, ...]
    public_only: bool = False

    def __post_init__(self) -> None:
        """Check the bounds."""
        if len(self.ticket_ids) > MAX_THREADS:
            raise ConfigError(f"{len(self.ticket_ids):,} threads are more than the {MAX_THREADS} allowed at once")
        require_unicode(self.tenant_id, *self.ticket_ids)


class BackupRequest(Struct, frozen=True):
    """The body of POST /backup: the absolute path of a new folder."""

    folder: str


def require_question(text: str) -> None:
    """Refuse a question that is too long, or not Unicode.

    Raises:
        ConfigError: with the reason.
    """
    if len(text) > MAX_QUESTION:
        raise ConfigError(f"the question has {len(text):,} characters, more than the {MAX_QUESTION:,} allowed")
    require_unicode(text)


class ThreadsAnswer(Struct, frozen=True):
    """The answer to POST /threads."""

    threads: tuple[Thread, ...]


class WorkerStatus(Struct, frozen=True, kw_only=True):
    """The answer to GET /status.

    Attributes:
        freshness_s: median time from broker to searchable of recent tickets.
        newest_ms: broker timestamp of the newest searchable ticket, in milliseconds since 1970.
        fault: the reason why searches are refused, or None.
        warning: a warning for readers of the answers, or None.
        provenance: of the index; None if no version that notes one has written it.
    """

    model: str
    points: int
    tombstones: int
    inflight: int
    freshness_s: float | None
    newest_ms: int | None = None
    outage: str | None
    tickets: int = 0
    fault: str | None = None
    warning: str | None = None
    provenance: Provenance | None = None


class _Refusal(Struct, frozen=True):
    """The answer to a request that failed."""

    error: str


class WorkerClient:
    """Implements `runtime.searcher.Searcher` over HTTP, on loopback."""

    def __init__(self, owner: Owner, *, timeout_s: float, owns: Callable[[], bool] = lambda: True) -> None:
        """Ask `owner` only while it `owns` the index; after it has ended, its port may be another user's."""
        self._owner = owner
        self._timeout_s = timeout_s
        self._owns = owns

    def search(self, text: str, query: SearchQuery, *, plain: bool = False) -> Answer:
        require_question(text)
        return self._ask("/search", msgspec.json.encode(SearchRequest(text, query, plain)), Answer)

    def similar(self, ticket_id: str, query: SearchQuery, *, plain: bool = False) -> Answer:
        require_unicode(ticket_id)
        return self._ask("/similar", msgspec.json.encode(SimilarRequest(ticket_id, query, plain)), Answer)

    def threads(self, tenant_id: str, ticket_ids: Sequence[str], *, public_only: bool = False) -> tuple[Thread, ...]:
        request = ThreadsRequest(tenant_id, tuple(dict.fromkeys(ticket_ids)), public_only)
        return self._ask("/threads", msgspec.json.encode(request), ThreadsAnswer).threads if ticket_ids else ()

    def warning(self) -> str | None:
        return self.status().warning

    def status(self) -> WorkerStatus:
        return self._ask("/status", None, WorkerStatus)

    def back_up(self, folder: Path) -> Backup:
        """Let the worker copy its index to the new folder.

        Raises:
            UnavailableError: the worker can't, or doesn't answer.
        """
        return self._ask("/backup", msgspec.json.encode(BackupRequest(str(folder.absolute()))), Backup)

    def _ask(self, path: str, body: bytes | None, answer: type[T]) -> T:
        if body is not None and len(body) > MAX_BODY:
            raise ConfigError(
                f"the request has {len(body):,} bytes, more than the {MAX_BODY:,} a worker takes; give fewer filters"
            )
        worker = f"the worker (process {self._owner.pid})"
        deadline = time.monotonic() + self._timeout_s
        try:
            while (content := self._send(path, body, last=time.monotonic() + _RETRY_S > deadline)) is None:
                time.sleep(_RETRY_S * uniform(0.5, 1))  # noqa: S311 - jitter, not a secret
            return msgspec.json.decode(content, type=answer)
        except urllib.error.HTTPError as error:
            if error.code in _MISTAKES:
                raise _MISTAKES[error.code](_reason(error)) from None
            kind = TransientError if error.code in _FAILURES else UnavailableError
            raise kind(f"{worker} rejected the request: {_reason(error)}") from None
        except OSError as error:
            raise UnavailableError(f"{worker} does not answer: {error}") from None
        except (HTTPException, msgspec.DecodeError):
            raise UnavailableError(
                f"{worker} closed the connection before its answer was complete; it may have exited, so try again"
            ) from None

    def _send(self, path: str, body: bytes | None, *, last: bool) -> bytes | None:
        """The answer; None if the worker is busy, unless this is the last try."""
        if not self._owns():
            raise ConnectionRefusedError("it has ended")
        headers = {"Authorization": f"Bearer {self._owner.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._owner.address}{path}", data=body, headers=headers)  # noqa: S310 - always http on loopback
        try:
            with _OPENER.open(request, timeout=self._timeout_s) as response:
                content: bytes = response.read()
        except urllib.error.HTTPError as error:
            if last or "Retry-After" not in error.headers:
                raise
            return None
        return content


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        return msgspec.json.decode(error.read(), type=_Refusal).error
    except (OSError, HTTPException, msgspec.DecodeError):  # the worker ended meanwhile
        return str(error)
