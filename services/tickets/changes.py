"""Reads and changes tickets, with preconditions, idempotency keys, and retries of conflicting changes."""

import time
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from msgspec import Struct

from core.contract import TicketEvent, UpsertEvent
from core.errors import NoTicketError
from core.failpoints import failpoint
from core.settings import ContractSettings
from core.ticket_store import (
    Change,
    ConflictError,
    KeyUsedError,
    SavedResponse,
    StoreLimitError,
    TicketStore,
    updated_ms_of,
    version_of,
)
from runtime.tracing import current_traceparent
from services.http.problems import Problem, invalid
from services.tickets.commands import encoded
from services.tickets.idempotency import TTL_MS, KeyedRequest, reused
from services.tickets.preconditions import Condition, etag

#: Maximum attempts of a change for any version (`If-Match: *`) that conflicts with others.
_ATTEMPTS: Final = 5

#: Fields of an event that a response doesn't show.
_HIDDEN: Final = ("tenant_id", "schema_version")


class Outcome(Struct, frozen=True):
    """A successful response. `body` is JSON, or empty."""

    status: int
    headers: dict[str, str]
    body: bytes


class Edit(Struct, frozen=True, kw_only=True):
    """A change that a request asks for.

    Attributes:
        ticket_id: the ticket to change.
        condition: the versions that it may have; None if the ticket is new.
        make: makes the next version from the current one (None for a new ticket) and the time in ms since the epoch.
        status: HTTP status of the response.
        headers: of the response, in addition to its entity tag.
    """

    tenant_id: str
    ticket_id: str
    condition: Condition | None
    make: Callable[[UpsertEvent | None, int], TicketEvent]
    status: int
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)


class Tickets:
    """The tickets of a store."""

    def __init__(
        self,
        store: TicketStore,
        *,
        limits: ContractSettings,
        admit: Callable[[], None],
        written: Callable[[], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Tickets of a store.

        Args:
            store: has the tickets.
            limits: of a ticket.
            admit: raises a `Problem` if there is no room for a change now.
            written: called after each change.
            clock: seconds since the epoch.
        """
        self.store = store
        self._limits = limits
        self._admit = admit
        self._written = written
        self._clock = clock

    def get(self, tenant_id: str, ticket_id: str) -> UpsertEvent:
        """The ticket.

        Raises:
            NoTicketError: there is none, or it is deleted.
        """
        found = self.store.get(tenant_id, ticket_id)
        if not isinstance(found, UpsertEvent):
            raise NoTicketError(ticket_id)
        return found

    def change(self, edit: Edit, request: KeyedRequest | None) -> Outcome:
        """Make a change, once for each idempotency key.

        Raises:
            NoTicketError: there is no such ticket, or it is deleted.
            Problem: the ticket has another version, the id is taken, a limit is passed, or there is no room.
        """
        for _ in range(_ATTEMPTS):
            if request is not None and (saved := self._saved(request)) is not None:
                return saved
            self._admit()
            try:
                return self._attempt(edit, request)
            except (ConflictError, KeyUsedError):
                continue  # another request was faster; the next attempt sees its effect
            except StoreLimitError as error:
                raise Problem("too-large", f"The ticket can't be kept: {error}.") from None
            except (Problem, NoTicketError):
                # the same request may have made the change, and so broken its own condition, in the meantime
                if request is not None and (saved := self._saved(request)) is not None:
                    return saved
                raise
        raise Problem("conflict", "Other requests keep changing the ticket; try again.", headers={"Retry-After": "1"})

    def _saved(self, request: KeyedRequest) -> Outcome | None:
        found = self.store.response(request.key, now_ms=self._now_ms())
        if found is None:
            return None
        if found.request_hash != request.hash:
            raise reused()
        return Outcome(found.status, found.headers, found.body)

    def _attempt(self, edit: Edit, request: KeyedRequest | None) -> Outcome:
        current = self.store.get(edit.tenant_id, edit.ticket_id)
        ticket = _checked(current, edit)
        replaced_ms = 0 if ticket is None else updated_ms_of(ticket)
        now_ms = max(self._now_ms(), replaced_ms + 1)
        event = edit.make(ticket, now_ms)
        change = Change(
            event=event,
            value=encoded(event, self._limits),
            replaces=version_of(event) - 1,
            replaced_ms=replaced_ms,
            updated_ms=now_ms,
            traceparent=current_traceparent(),
        )
        outcome = _outcome(event, edit)
        if request is not None:
            saved = SavedResponse(
                request_hash=request.hash,
                status=outcome.status,
                headers=outcome.headers,
                body=outcome.body,
                expires_ms=now_ms + TTL_MS,
            )
            change = msgspec.structs.replace(change, request=(request.key, saved))
        failpoint("change_checked")
        self.store.apply(change)
        failpoint("change_written")
        self._written()
        return outcome

    def _now_ms(self) -> int:
        return int(self._clock() * 1_000)


def document(ticket: UpsertEvent) -> bytes:
    """The ticket as responses show it, in JSON."""
    fields = {name: getattr(ticket, name) for name in ticket.__struct_fields__ if name not in _HIDDEN}
    return msgspec.json.encode(fields)


def _checked(current: TicketEvent | None, edit: Edit) -> UpsertEvent | None:
    """The ticket to change, or None for a new one."""
    if edit.condition is None:
        if current is not None:
            was = "has" if isinstance(current, UpsertEvent) else "had"
            raise Problem(
                "conflict",
                f"Another ticket {was} this id, and ids are never used again.",
                errors=invalid("ticket_id", "is taken; leave it out, or choose another").errors,
            )
        return None
    if not isinstance(current, UpsertEvent):
        raise NoTicketError(edit.ticket_id)
    version = version_of(current)
    if not edit.condition.allows_change(version):
        raise Problem(
            "precondition-failed",
            f"The ticket is at version {version}; read it again and repeat the change.",
            headers={"ETag": etag(version)},
        )
    return current


def _outcome(event: TicketEvent, edit: Edit) -> Outcome:
    if not isinstance(event, UpsertEvent):
        return Outcome(edit.status, {**edit.headers}, b"")
    return Outcome(edit.status, {**edit.headers, "ETag": etag(version_of(event))}, document(event))
