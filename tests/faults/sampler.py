"""What a person who searches sees while things break: watched all the time, not only in the end.

Before each question the group's commits are read. What is committed is promised: an answer may not show less, nor a
ticket whose delete is committed, nor another tenant's, nor a version below one shown before.
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
from core.protocols import Embedder
from core.records import SearchHit, SearchQuery
from core.settings import IndexSettings
from runtime.control import WorkerClient
from runtime.searcher import IndexSearcher
from tests.faults.ledger import Floor, Ledger, TicketKey
from tests.faults.oracle import require
from tests.faults.tickets import TENANTS

_EVERY_S: Final = 0.2
#: A look takes longer the more tickets there are; so many times as long nobody looks, and others get on.
_REST: Final = 3
_LIMIT: Final = 30
_LOOKED_UP: Final = 40
#: Tickets of a search that stands in for looking them up.
_WIDE: Final = 200
_TIMEOUT_S: Final = 30.0
_WORDS: Final = ("password change fails", "invoice is wrong", "cannot sign in", "export hangs", "refund", "Anmeldung")

#: Version and deleted mark of each ticket that is there.
Heads = dict[TicketKey, tuple[int, bool]]


class Eyes(Protocol):
    """A way to look at the index from outside. Raises `TicketstreamError` when nobody answers."""

    def search(self, text: str, query: SearchQuery) -> list[SearchHit]: ...

    def heads(self, tickets: Sequence[TicketKey]) -> Heads:
        """What is held of some of these, and of others perhaps."""
        ...


class ServerEyes:
    """Asks the server, as the API would."""

    def __init__(self, index: VersionedIndex, embedder: Embedder) -> None:
        self._index = index
        self._searcher = IndexSearcher(index=index, embedder=embedder)

    def search(self, text: str, query: SearchQuery) -> list[SearchHit]:
        return self._searcher.search(text, query)

    def heads(self, tickets: Sequence[TicketKey]) -> Heads:
        ids = {point_id(*ticket, 0): ticket for ticket in tickets}
        found = self._index.engine.lookup(list(ids), HEAD_FIELDS)
        return {ids[key]: ((head := row_of(payload)).version, head.state == DELETED) for key, payload in found.items()}


class OwnerEyes:
    """Asks the worker that owns the embedded index, as `ticketstream search` does."""

    def __init__(self, settings: IndexSettings) -> None:
        self._settings = settings

    def search(self, text: str, query: SearchQuery) -> list[SearchHit]:
        owner = find_owner(self._settings.path)
        if owner is None or owner.address is None:
            raise TicketstreamError("nobody to ask")
        return WorkerClient(owner, timeout_s=_TIMEOUT_S).search(text, query)

    def heads(self, tickets: Sequence[TicketKey]) -> Heads:
        """By a wide search for the first one's tenant, as nothing else is answered; a delete is an absence."""
        if not tickets:
            return {}
        hits = self.search(_WORDS[0], SearchQuery(tenant_id=tickets[0][0], limit=_WIDE))
        return {(hit.tenant_id, hit.ticket_id): (hit.version, False) for hit in hits}


class Sampler:
    """Looks again and again on a thread of its own, and remembers the first wrong thing it saw."""

    def __init__(self, *, eyes: Eyes, ledger: Ledger, committed: Callable[[], dict[int, int]], rng: Random) -> None:
        self._eyes = eyes
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
        """Raise `BrokenError` for the first wrong thing that was seen."""
        if self.fault is not None:
            require(self.fault[0], kept=False, words=self.fault[1])

    def judge(self) -> None:
        """Look no more. Raises `BrokenError` for what was seen, and when nothing was: then nobody looked on."""
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
            except Exception as error:  # noqa: BLE001 - a thread's error would vanish, and nobody be looking on
                self._wrong("watch", f"looking on ended with {error!r}")
                return
            else:
                self.answers += 1
            took_s = time.monotonic() - began

    def _search(self, floor: Floor) -> None:
        tenant = self._rng.choice(TENANTS)
        owed = dict.fromkeys(floor.tickets())  # what is committed later is not owed to this question
        least = {ticket: floor.of(ticket) for ticket in owed}
        for hit in self._eyes.search(self._rng.choice(_WORDS), SearchQuery(tenant_id=tenant, limit=_LIMIT)):
            if hit.tenant_id != tenant:
                self._wrong("P11", f"{tenant} was shown a ticket of {hit.tenant_id}")
            self._look((hit.tenant_id, hit.ticket_id), (hit.version, False), least)

    def _look_up(self, floor: Floor) -> None:
        known = floor.tickets()
        chosen = self._rng.sample(known, min(_LOOKED_UP, len(known)))
        least = {ticket: floor.of(ticket) for ticket in known}
        for ticket, head in self._eyes.heads(chosen).items():
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
