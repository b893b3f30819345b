"""Searches by text: asks the worker that owns the embedded index, or opens the index itself."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Final, Protocol

import msgspec

from connectors.qdrant.lock import InUseError, find_owner
from connectors.qdrant.open import FoundIndex, read_index
from core.errors import OtherModelError, TransientError
from core.index import SearchQuery, Thread, require_unicode
from core.protocols import Embedder, IndexReader
from core.provenance import expired_warning, missing_reason
from core.settings import IndexSettings, SearchSettings, Settings
from operators.language import CompactDetector
from runtime.control import ThreadsRequest, WorkerClient, WorkerStatus, require_question
from runtime.index import open_index_for_reading
from runtime.model import open_question_embedder
from search.find import Plan, find
from search.rank import NO_FACTORS, Factors
from search.resources import Resources
from search.result import Answer
from search.similar import find_similar

#: Maximum time of a worker from opening the index to answering, in seconds.
_WORKER_START_S: Final = 5.0
_RETRY_S: Final = 0.1
#: A search reads the index's provenance again if the last read is this many seconds old.
_LOOK_S: Final = 1.0


class Searcher(Protocol):
    """Answers questions. Safe to use from any thread."""

    def search(self, text: str, query: SearchQuery, *, plain: bool = False) -> Answer:
        """The tenant's tickets that match `text` best, by meaning and by words; `plain` ranks by the match alone.

        Raises:
            ConfigError: the question is too long, not Unicode or empty, or a filter in it is wrong.
            OtherModelError: the index holds another model's vectors by now.
            TransientError, UnavailableError: the index, or the worker that owns it, doesn't answer.
        """
        ...

    def similar(self, ticket_id: str, query: SearchQuery, *, plain: bool = False) -> Answer:
        """The tenant's tickets that are most like one of them, without it.

        Raises:
            ConfigError: the tenant has no such ticket.
            TransientError, UnavailableError: as `search`.
        """
        ...

    def threads(self, tenant_id: str, ticket_ids: Sequence[str], *, public_only: bool = False) -> tuple[Thread, ...]:
        """The current versions of the given tickets that the tenant has, in the given order.

        Raises:
            ConfigError: there are more than `core.index.MAX_THREADS`, or an id is not Unicode.
            TransientError, UnavailableError: as `search`.
        """
        ...

    def warning(self) -> str | None:
        """A warning for readers of the answers, for example that records expired unread; or None."""
        ...

    def status(self) -> WorkerStatus:
        """The model and size of the index, and the state of its worker."""
        ...


class IndexSearcher:
    """Implements `Searcher` on an index, by the functions of `search`."""

    def __init__(
        self,
        *,
        index: IndexReader,
        embedder: Embedder,
        settings: SearchSettings | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._index = index
        self._embedder = embedder
        self._resources = Resources(index, embedder, CompactDetector())
        self._plan = _plan_of(settings or SearchSettings())
        self._clock = clock
        self._other: str | None = None
        self._fault: str | None = None
        self._warning: str | None = None
        self._look_at = 0.0

    def search(self, text: str, query: SearchQuery, *, plain: bool = False) -> Answer:
        """See `Searcher`.

        Raises:
            ConfigError: the question is too long, not Unicode or empty, or a filter in it is wrong.
            OtherModelError: the index holds another model's vectors by now.
            TransientError: the index doesn't answer, or lacks records that were acknowledged.
        """
        require_question(text)
        self._require_whole()
        return self._own(find(text, query, self._resources, self._chosen(plain), now_ms=_now_ms()))

    def similar(self, ticket_id: str, query: SearchQuery, *, plain: bool = False) -> Answer:
        """See `Searcher`."""
        require_unicode(ticket_id)
        self._require_whole()
        return self._own(find_similar(ticket_id, query, self._resources, self._chosen(plain), now_ms=_now_ms()))

    def threads(self, tenant_id: str, ticket_ids: Sequence[str], *, public_only: bool = False) -> tuple[Thread, ...]:
        """See `Searcher`."""
        asked = ThreadsRequest(tenant_id, tuple(dict.fromkeys(ticket_ids)), public_only)
        self._require_whole()
        found = (self._index.thread(tenant_id, one, public_only=public_only) for one in asked.ticket_ids)
        return tuple(thread for thread in found if thread is not None)

    def _require_whole(self) -> None:
        self._look()
        if self._other is not None:
            raise self._other_model(self._other)
        if self._fault is not None:
            raise TransientError(self._fault)

    def _own(self, answer: Answer) -> Answer:
        """The answer, unless an alias has been switched to another model's vectors since the last check."""
        for hit in answer.hits:
            model = hit.payload.get("model", self._embedder.stamp)
            if model != self._embedder.stamp:
                raise self._other_model(str(model))
        return answer

    def _other_model(self, found: str) -> OtherModelError:
        return OtherModelError(
            f"the index now holds vectors of {found}, but this process searches with {self._embedder.stamp}"
        )

    def _chosen(self, plain: bool) -> Plan:
        return msgspec.structs.replace(self._plan, factors=NO_FACTORS) if plain else self._plan

    def warning(self) -> str | None:
        """See `Searcher`."""
        self._look()
        return self._warning

    def status(self) -> WorkerStatus:
        """See `Searcher`. The fields that only a running worker knows are 0 or None."""
        size, provenance = self._index.size(), self._index.origin()
        return WorkerStatus(
            model=self._embedder.stamp,
            points=size.points,
            tombstones=size.tombstones,
            inflight=0,
            freshness_s=None,
            outage=None,
            tickets=size.tickets,
            fault=None if provenance is None else missing_reason(provenance.missing),
            warning=None if provenance is None else expired_warning(provenance.expired),
            provenance=provenance,
        )

    def _look(self) -> None:
        """Read the index's provenance, unless that was read within the last second."""
        if self._clock() >= self._look_at:
            found = self._index.origin()
            self._other = None if found is None or found.model == self._embedder.stamp else found.model
            self._fault = None if found is None else missing_reason(found.missing)
            self._warning = None if found is None else expired_warning(found.expired)
            self._look_at = self._clock() + _LOOK_S


def open_searcher(settings: Settings, stack: ExitStack) -> Searcher:
    """The worker that owns the embedded index, if one is running; else the index, opened for reading.

    A worker that starts at the same time is waited for.

    Raises:
        NoIndexError: the index doesn't exist.
        ConfigError: the index is of another model, or a process that doesn't answer searches is using it.
        UnavailableError: the index server or the model isn't available.
    """
    worker = find_worker(settings.index)
    if worker is not None:
        return worker
    embedder = open_question_embedder(settings.model, stack)
    deadline = time.monotonic() + _WORKER_START_S
    while True:
        try:
            index = open_index_for_reading(settings.index, embedder, stack)
            return IndexSearcher(index=index, embedder=embedder, settings=settings.search)
        except InUseError:
            worker = find_worker(settings.index)
            if worker is not None:
                return worker
            if time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_S)


def find_index(settings: IndexSettings) -> FoundIndex | None:
    """The index in use, as reported by the worker that owns it, if one is running. None if there is no index.

    Raises:
        ConfigError: a process that doesn't answer is using the index, or it can't be read.
        UnavailableError: the index server or the worker doesn't answer.
    """
    worker = find_worker(settings)
    if worker is None:
        return read_index(settings)
    status = worker.status()
    return FoundIndex(status.provenance, status.tickets)


def _plan_of(settings: SearchSettings) -> Plan:
    factors = Factors(
        solved=settings.solved_factor,
        recent=settings.recent_factor,
        half_life_days=settings.recent_half_life_days,
    )
    return Plan(factors=factors, words=settings.words, min_confidence=settings.min_confidence)


def _now_ms() -> int:
    return int(time.time() * 1000)


def find_worker(settings: IndexSettings) -> WorkerClient | None:
    """The worker that owns the embedded index and answers for it, or None."""
    owner = find_owner(settings.path) if settings.url is None else None
    if owner is None or owner.address is None:
        return None
    return WorkerClient(owner, timeout_s=settings.timeout_s, owns=lambda: find_owner(settings.path) == owner)
