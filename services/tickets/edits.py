"""The requests as edits of one ticket."""

import secrets
from collections.abc import Callable

import msgspec

from core.contract import Role, TicketEvent, UpsertEvent
from services.http.callers import Caller
from services.tickets import commands
from services.tickets.bodies import NewComment, NewTicket, TicketPatch
from services.tickets.changes import Edit
from services.tickets.preconditions import Condition


def create_edit(caller: Caller, body: NewTicket, *, path: str) -> Edit:
    """Create a ticket of the caller's tenant. `path` is that of all tickets."""
    ticket_id = body.ticket_id or f"T-{secrets.token_hex(8)}"

    def make(_current: UpsertEvent | None, now_ms: int) -> TicketEvent:
        return commands.created(body, tenant_id=caller.tenant_id, ticket_id=ticket_id, now_ms=now_ms)

    location = {"Location": f"{path}/{ticket_id}"}
    return Edit(
        tenant_id=caller.tenant_id, ticket_id=ticket_id, condition=None, make=make, status=201, headers=location
    )


def update_edit(caller: Caller, ticket_id: str, condition: Condition, body: TicketPatch) -> Edit:
    """Replace fields of a ticket."""
    return _edit(caller, ticket_id, condition, lambda ticket, now: commands.updated(ticket, body, now_ms=now))


def comment_edit(caller: Caller, ticket_id: str, condition: Condition, body: NewComment) -> Edit:
    """Add a message."""
    author = body.author or default_author(caller)
    return _edit(
        caller, ticket_id, condition, lambda ticket, now: commands.commented(ticket, body, author=author, now_ms=now)
    )


def close_edit(caller: Caller, ticket_id: str, condition: Condition, status: str, resolution: str | None) -> Edit:
    """Close a ticket."""

    def make(ticket: UpsertEvent, now_ms: int) -> TicketEvent:
        return commands.closed(ticket, status=status, resolution=resolution, now_ms=now_ms)

    return _edit(caller, ticket_id, condition, make)


def delete_edit(caller: Caller, ticket_id: str, condition: Condition) -> Edit:
    """Delete a ticket."""
    edit = _edit(caller, ticket_id, condition, lambda ticket, now: commands.deleted(ticket, now_ms=now))
    return msgspec.structs.replace(edit, status=204)


def default_author(caller: Caller) -> Role:
    """The author of a message that names none: services post customers' messages."""
    return "agent" if caller.roles & {"agent", "operator"} else "customer"


def _edit(
    caller: Caller, ticket_id: str, condition: Condition, make: Callable[[UpsertEvent, int], TicketEvent]
) -> Edit:
    def checked(current: UpsertEvent | None, now_ms: int) -> TicketEvent:
        assert current is not None  # noqa: S101 - an edit with a condition has a ticket
        return make(current, now_ms)

    return Edit(tenant_id=caller.tenant_id, ticket_id=ticket_id, condition=condition, make=checked, status=200)
