"""Searches during an attack, and checks that no answer breaks a promise.

The group's commits are read before each search. Whatever is committed must be visible: an answer may not show an older
version, a ticket whose delete is committed, another tenant's ticket, or a version lower than one shown before.
"""

import threading
import time
from collections.abc import Callable, Sequence
from random import Random
from typing import Final, Protocol

from connectors.qdrant.layout import DELETED, HEAD_FIELDS, row_of
from connectors.qdrant.lock import find_owner
from connectors.qdrant.policy import VersionedIndex
from core.errors import TicketstreamError
from core.identity import point_id
from core.index import SearchQuery
from core.protocols import Embedder
from core.settings import IndexSettings
from runtime.control import WorkerClient
from runtime.searcher import IndexSearcher
from search.result import RankedHit
from tests.faults.ledger import Floor, Ledger, TicketKey
from tests.faults.oracle import require
from tests.faults.tickets import TENANTS

_EVERY_S: Final = 0.2
#: Pause after each round, as a multiple of its duration, because rounds grow with the number of tickets.
_REST: Final = 3
_LIMIT: Final = 30
_LOOKED_UP: Final = 40
#: Limit of a search that replaces a lookup.
_WIDE: Final = 200
_TIMEOUT_S: Final = 30.0
_WORDS: Final = ("password change fails", "invoice is wrong", "cannot sign in", "export hangs", "refund", "Anmeldung")

#: Version of each ticket that is found, and whether it is deleted.
Heads = dict[TicketKey, tuple[int, bool]]


class View(Protocol):
    """A view of the index from outside a worker. Raises `TicketstreamError` without an answer."""

    def search(self, text: str, query: SearchQuery) -> list[RankedHit]: ...

    def heads(self, tickets: Sequence[TicketKey]) -> Heads:
        """The heads of some of these tickets, and perhaps of others."""
        ...


class ServerView:
    """Asks the server."""

    def __init__(self, index: VersionedIndex, embedder: Embedder) -> None:
        self._index = index
        self._searcher = IndexSearcher(index=index, embedder=embedder)

    def search(self, text: str, query: SearchQuery) -> list[RankedHit]:
        return list(self._searcher.search(text, query).hits)

    def heads(self, tickets: Sequence[TicketKey]) -> Heads:
        ids = {point_id(*ticket, 0): ticket for ticket in tickets}
        found = self._index.engine.lookup(list(ids), HEAD_FIELDS)
        return {ids[key]: ((head := row_of(payload)).version, head.state == DELETED) for key, payload in found.items()}


class OwnerView:
    """Asks the worker that owns the embedded index, like `ticketstream search`."""

    def __init__(self, settings: IndexSettings) -> None:
        self._settings = settings

    def search(self, text: str, query: SearchQuery) -> list[RankedHit]:
        owner = find_owner(self._settings.path)
        if owner is None or owner.address is None:
            raise TicketstreamError("no worker owns the index")
        return list(WorkerClient(owner, timeout_s=_TIMEOUT_S).search(text, query).hits)

    def heads(self, tickets: Sequence[TicketKey]) -> Heads:
        """The hits of a wide search for the first ticket's tenant, as the owner answers searches only."""
        if not tickets:
            return {}
        hits = self.search(_WORDS[0], SearchQuery(tenant_id=tickets[0][0], limit=_WIDE))
        return {(hit.tenant_id, hit.ticket_id): (hit.version, False) for hit in hits}


class Sampler:
    """Searches on a thread of its own, and keeps the first fault that it finds."""

    def __init__(self, *, view: View, ledger: Ledger, committed: Callable[[], dict[int, int]], rng: Random) -> None:
        self._view = view
        self._ledger = ledger
        self._committed = committed
        self._rng = rng
        self._seen: Heads = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self.answers = 0
        self.unanswered = 0
        self.versions = 0
        self.fault: tuple[str, str] | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def require_sound(self) -> None:
        """Raise `BrokenError` if a fault was found."""
        if self.fault is not None:
            require(self.fault[0], kept=False, words=self.fault[1])

    def judge(self) -> None:
        """Stop. Raises `BrokenError` for a fault, and if no search was answered at all."""
        self.stop()
        self.require_sound()
        require("watch", self.answers > 0, f"no search was answered, {self.unanswered} were not")

    def _run(self) -> None:
        took_s = 0.0
        while not self._stopping.wait(max(_EVERY_S, _REST * took_s)):
            began = time.monotonic()
            try:
                floor = self._ledger.floor(self._committed())
                self._search(floor)
                self._look_up(floor)
            except (TicketstreamError, OSError):
                self.unanswered += 1
            except Exception as error:  # noqa: BLE001 - a fault of the sampler
                self._wrong("watch", f"the sampler failed with {error!r}")
                return
            else:
                self.answers += 1
            took_s = time.monotonic() - began

    def _search(self, floor: Floor) -> None:
        tenant = self._rng.choice(TENANTS)
        owed = dict.fromkeys(floor.tickets())  # later commits don't concern this search
        least = {ticket: floor.of(ticket) for ticket in owed}
        for hit in self._view.search(self._rng.choice(_WORDS), SearchQuery(tenant_id=tenant, limit=_LIMIT)):
            if hit.tenant_id != tenant:
                self._wrong("P11", f"{tenant} was shown a ticket of {hit.tenant_id}")
            self._look((hit.tenant_id, hit.ticket_id), (hit.version, False), least)

    def _look_up(self, floor: Floor) -> None:
        known = floor.tickets()
        chosen = self._rng.sample(known, min(_LOOKED_UP, len(known)))
        least = {ticket: floor.of(ticket) for ticket in known}
        for ticket, head in self._view.heads(chosen).items():
            self._look(ticket, head, least)

    def _look(self, ticket: TicketKey, shown: tuple[int, bool], least: Heads) -> None:
        self.versions += 1
        version, deleted = shown
        owed, gone = least.get(ticket, (-1, False))
        before, was_gone = self._seen.get(ticket, (-1, False))
        if version < before or (version == before and was_gone and not deleted):
            self._wrong("P4" if was_gone else "P2", f"{ticket} is shown at version {version} after {before}")
        if version < owed or (version == owed and gone and not deleted):
            promise = "P4" if gone else "P1"
            self._wrong(promise, f"{ticket} is shown at version {version}; {owed} is committed{' as a delete' * gone}")
        self._seen[ticket] = max(shown, self._seen.get(ticket, (-1, False)))

    def _wrong(self, promise: str, words: str) -> None:
        self.fault = self.fault or (promise, words)
