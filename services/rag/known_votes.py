"""A cache of the votes on tickets, which searches also use while the feedback store is unavailable."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from typing import Final

from msgspec import Struct

from core.errors import TicketstreamError
from core.feedback import FeedbackStore, Votes

logger: Final = logging.getLogger("ticketstream.feedback")

#: The maximum number of tickets with cached votes, about 5 MiB; the least recently found ones are dropped first.
MAX_TICKETS: Final = 20_000
_NONE: Final = Votes()

Ticket = tuple[str, str]


class _Known(Struct, frozen=True):
    votes: Votes
    read_at: float | None  # None if a vote was given since then


class KnownVotes:
    """Safe to use from any thread."""

    def __init__(
        self,
        store: FeedbackStore,
        *,
        fresh_s: float,
        clock: Callable[[], float] = time.monotonic,
        size: int = MAX_TICKETS,
    ) -> None:
        """An empty cache.

        Args:
            store: the votes of all processes.
            fresh_s: age at which votes are read again, so that other processes' votes count; 0 reads them each time.
            clock: seconds.
            size: the maximum number of tickets.
        """
        self._store = store
        self._fresh_s = fresh_s
        self._clock = clock
        self._size = size
        self._lock = threading.Lock()
        self._known: OrderedDict[Ticket, _Known] = OrderedDict()
        self._forgotten = 0
        self._failing = False

    def votes(self, tenant_id: str, tickets: Collection[str]) -> Mapping[str, Votes]:
        """The votes on the tenant's tickets that have any; while the store fails, those that were read last."""
        now = self._clock()
        with self._lock:
            old = [one for one in tickets if not self._is_fresh((tenant_id, one), now)]
            forgotten = self._forgotten
        if old:
            self._read(tenant_id, old, now, forgotten)
        with self._lock:
            known = {one: self._known.get((tenant_id, one)) for one in tickets}
        return {one: found.votes for one, found in known.items() if found is not None and found.votes != _NONE}

    def forget(self, tenant_id: str, tickets: Collection[str]) -> None:
        """Mark the votes on these tickets as stale, so that the next search reads them again."""
        with self._lock:
            self._forgotten += 1
            for one in tickets:
                known = self._known.get((tenant_id, one))
                if known is not None:
                    self._known[tenant_id, one] = _Known(known.votes, None)

    def _is_fresh(self, ticket: Ticket, now: float) -> bool:
        known = self._known.get(ticket)
        return known is not None and known.read_at is not None and now - known.read_at < self._fresh_s

    def _read(self, tenant_id: str, tickets: Collection[str], now: float, forgotten: int) -> None:
        """Read votes. A fault of the store is only logged, because a search works without votes."""
        try:
            found = self._store.votes(tenant_id, tickets)
        except TicketstreamError as error:
            if not self._failing:
                logger.warning("tickets are ranked with the last known votes: %s", error)
            self._failing = True
            return
        self._failing = False
        with self._lock:
            read_at = now if forgotten == self._forgotten else None  # a vote may have been given meanwhile
            for one in tickets:
                self._known[tenant_id, one] = _Known(found.get(one, _NONE), read_at)
                self._known.move_to_end((tenant_id, one))
            while len(self._known) > self._size:
                self._known.popitem(last=False)
