"""Mutants of the outbox, each like a careless change. The kills must catch them all.

`FAILPOINTS` has the failpoint that shows each fault.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from connectors.ticket_store.sqlite import SqliteTickets
from connectors.ticket_store.sqlite_outbox import SqliteOutbox
from core.errors import RefusedError
from core.failpoints import OutboxPoint, failpoint
from core.ticket_store import Change, OutboxEvent
from delivery import relay
from services.tickets.changes import Tickets
from tests.faults.mutants.mutant import patch

_RELAY: Any = relay


def remove_before_the_ack() -> None:
    """Events are removed when they are handed to the client."""
    run_once = relay.Relay.run_once

    def eager(self: Any) -> relay.Pass:
        send = self._send

        def sending(events: Sequence[OutboxEvent]) -> Mapping[int, RefusedError]:
            self._outbox.remove(events)
            failpoint("outbox_acked")
            result: Mapping[int, RefusedError] = send(events)
            return result

        self._send = sending
        try:
            return run_once(self)
        finally:
            self._send = send

    patch(relay.Relay, "run_once", eager)


def send_the_newest_first() -> None:
    """The versions of a ticket that wait together are sent in reverse."""
    waves = _RELAY._waves
    patch(_RELAY, "_waves", lambda events: waves(list(reversed(events))))


def keep_the_latest_only() -> None:
    """Only the last of several waiting versions is sent."""

    def latest(self: SqliteOutbox, size: int) -> Any:
        events = {(event.tenant_id, event.ticket_id): event for page in pages(self, size) for event in page}
        dropped = [event for page in pages(self, size) for event in page if event not in events.values()]
        self.remove(dropped)
        yield list(events.values())

    pages = SqliteOutbox.pages
    patch(SqliteOutbox, "pages", latest)


def write_the_event_later() -> None:
    """The outbox event is written after the ticket, in a transaction of its own."""
    apply = SqliteTickets.apply

    def in_two_steps(self: SqliteTickets, change: Change) -> None:
        apply(self, change)
        with self._database.writing() as connection:
            rows = connection.execute("DELETE FROM outbox RETURNING tenant_id, ticket_id, version, updated_ms, value")
            kept = rows.fetchall()
        failpoint("change_written")
        with self._database.writing() as connection:
            connection.executemany(
                "INSERT INTO outbox (tenant_id, ticket_id, version, updated_ms, value) VALUES (?, ?, ?, ?, ?)", kept
            )

    patch(SqliteTickets, "apply", in_two_steps)


def keep_no_responses() -> None:
    """A repeated request is executed again."""
    attempt = Tickets._attempt

    def forgetful(self: Tickets, edit: Any, _request: object) -> Any:
        return attempt(self, edit, None)

    patch(Tickets, "_attempt", forgetful)


MUTANTS: Final[Mapping[str, Callable[[], None]]] = {
    mutant.__name__: mutant
    for mutant in (
        remove_before_the_ack,
        send_the_newest_first,
        keep_the_latest_only,
        write_the_event_later,
        keep_no_responses,
    )
}

#: The failpoint at which a kill shows the mutant.
FAILPOINTS: Final[Mapping[str, OutboxPoint]] = {
    "remove_before_the_ack": "outbox_acked",
    "send_the_newest_first": "outbox_acked",
    "keep_the_latest_only": "outbox_read",
    "write_the_event_later": "change_written",
    "keep_no_responses": "change_written",
}
