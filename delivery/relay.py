"""The relay of an outbox: sends its events to the topic, and removes each after the broker has acknowledged it.

An event is sent at least once, even if relays are killed or run concurrently, and never before its ticket's lower
versions have been acknowledged: each relay waits for an acknowledgement before it continues, and no event is removed
without one. A repeated event has a version that the topic already has, so it changes nothing. The lease only avoids
repetitions.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from msgspec import Struct

from core.errors import RefusedError
from core.failpoints import failpoint
from core.ticket_store import Outbox, OutboxEvent
from delivery.lease import Lease

#: Maximum events in a page, and so in a send.
PAGE_EVENTS: Final = 200

Ticket = tuple[str, str]


class SendEvents(Protocol):
    """Sends events to the topic, durably on return."""

    def __call__(self, events: Sequence[OutboxEvent], /) -> Mapping[int, RefusedError]:
        """Send events of different tickets. Returns the refusals by index.

        Raises:
            TransientError: some were not acknowledged.
            FatalError: the broker refuses, or the topic is missing.
        """
        ...


class Pass(Struct, frozen=True):
    """One pass over the outbox.

    Attributes:
        sent: number of events that were acknowledged and removed.
        refused: number of tickets whose next event the topic refuses; their events stay in the outbox.
        leads: False if another relay has the lease, so nothing was sent.
        reason: the topic's reason for the first refusal.
    """

    sent: int
    refused: int = 0
    leads: bool = True
    reason: str | None = None


class Relay:
    """Sends an outbox. One thread at a time may use it."""

    def __init__(self, outbox: Outbox, send: SendEvents, *, owner: str, clock: Callable[[], float] = time.time) -> None:
        """A relay.

        Args:
            outbox: has the events.
            send: sends them.
            owner: names this relay in the lease; unique among all relays.
            clock: seconds since the epoch.
        """
        self._outbox = outbox
        self._send = send
        self._lease = Lease(outbox, owner=owner, clock=clock)

    def run_once(self) -> Pass:
        """Send all events of the outbox.

        Raises:
            TransientError: the store or the broker is unavailable. What was acknowledged may be sent again.
            FatalError: the broker refuses, or the topic is missing.
        """
        sent = 0
        refused: dict[Ticket, RefusedError] = {}
        for page in self._outbox.pages(PAGE_EVENTS):
            failpoint("outbox_read")
            for wave in _waves([event for event in page if _ticket(event) not in refused]):
                going = [event for event in wave if _ticket(event) not in refused]
                if not going:
                    continue
                if not self._lease.held():
                    return Pass(sent, len(refused), leads=False)
                errors = self._send(going)
                failpoint("outbox_acked")
                refused |= {_ticket(going[place]): error for place, error in errors.items()}
                acked = [event for place, event in enumerate(going) if place not in errors]
                self._outbox.remove(acked)
                failpoint("outbox_removed")
                sent += len(acked)
        reason = str(next(iter(refused.values()))) if refused else None
        return Pass(sent, len(refused), reason=reason)

    def close(self) -> None:
        """Release the lease, so that another relay takes over at once.

        Raises:
            TransientError: the store is unavailable.
        """
        self._lease.release()


def _waves(events: Sequence[OutboxEvent]) -> list[list[OutboxEvent]]:
    """Split a page so that each wave has one event of a ticket at most, the lower version in the earlier wave."""
    waves: list[list[OutboxEvent]] = []
    seen: dict[Ticket, int] = {}
    for event in events:
        place = seen.get(_ticket(event), 0)
        seen[_ticket(event)] = place + 1
        if place == len(waves):
            waves.append([])
        waves[place].append(event)
    return waves


def _ticket(event: OutboxEvent) -> Ticket:
    return event.tenant_id, event.ticket_id
