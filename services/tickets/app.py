"""The ticket API: its app and routes."""

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Depends, FastAPI, Header, Path, Query
from starlette.responses import Response

from core.callers import Role
from core.contract import CONTRACT_VERSION, datetime_from_ms
from core.settings import Settings
from core.ticket_store import Page, TicketQuery, TicketSummary, version_of
from runtime.telemetry import Telemetry
from services.http.app import Responses, create_app, problems
from services.http.authentication import require
from services.http.bodies import BodyBounds
from services.http.callers import Authenticator, Caller
from services.http.limits import Throttle
from services.http.probes import Probe
from services.http.problems import ProblemKind
from services.http.sessions import Sessions
from services.tickets.bodies import (
    TICKET_ID,
    Closing,
    ListParameters,
    NewComment,
    NewTicket,
    TicketBody,
    TicketPage,
    TicketPatch,
)
from services.tickets.changes import Outcome, Tickets, document
from services.tickets.cursors import read_cursor, write_cursor
from services.tickets.edits import close_edit, comment_edit, create_edit, delete_edit, update_edit
from services.tickets.idempotency import HEADER, keyed_request
from services.tickets.preconditions import etag, parse_condition, required_condition

NAME: Final = "tickets"
PATH: Final = "/api/v1/tickets"
JSON: Final = "application/json"
#: A body may have more bytes than the event that it becomes, because of escapes and spaces.
_BODY_FACTOR: Final = 2

#: Roles by operation. An operator may do everything.
READERS: Final[tuple[Role, ...]] = ("agent", "operator", "service")
LISTERS: Final[tuple[Role, ...]] = ("agent", "operator")
WRITERS: Final[tuple[Role, ...]] = ("agent", "operator", "service")
CLOSERS: Final[tuple[Role, ...]] = ("agent", "operator")
DELETERS: Final[tuple[Role, ...]] = ("operator",)

Reader = Annotated[Caller, Depends(require(*READERS))]
Lister = Annotated[Caller, Depends(require(*LISTERS))]
Writer = Annotated[Caller, Depends(require(*WRITERS))]
Closer = Annotated[Caller, Depends(require(*CLOSERS))]
Deleter = Annotated[Caller, Depends(require(*DELETERS))]

TicketIdPath = Annotated[str, Path(pattern=TICKET_ID, examples=["T-1"])]
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", description="ETag of the ticket as it was read, or `*` for any version. Required."),
]
IfNoneMatch = Annotated[
    str | None, Header(alias="If-None-Match", description="ETag of the version that the caller already has.")
]
Key = Annotated[
    str | None,
    Header(
        alias=HEADER,
        description="1 to 255 visible ASCII characters. A request that is repeated with its key within 24 hours has "
        "one effect and gets the same response.",
    ),
]

_ETAG: Final = {"ETag": {"description": "The ticket's version.", "schema": {"type": "string"}}}
_CHANGE: Final[tuple[ProblemKind, ...]] = ("not-found", "conflict", "precondition-failed", "precondition-required")


def tickets_app(
    tickets: Tickets,
    *,
    settings: Settings,
    authenticator: Authenticator,
    telemetry: Telemetry,
    alive: Probe = lambda: None,
    ready: Probe = lambda: None,
    warn: Probe = lambda: None,
    throttle: Throttle | None = None,
    sessions: Sessions | None = None,
) -> FastAPI:
    """The app over `tickets`."""
    return create_app(
        name=NAME,
        title="ticketstream: ticket API",
        version=str(CONTRACT_VERSION),
        routers=[tickets_router(tickets, closed_status=settings.api.closed_status)],
        authenticator=authenticator,
        telemetry=telemetry,
        alive=alive,
        ready=ready,
        warn=warn,
        throttle=throttle,
        sessions=sessions,
        body=BodyBounds(
            max_bytes=_BODY_FACTOR * settings.contract.max_record_bytes, max_depth=settings.contract.max_depth
        ),
    )


def tickets_router(tickets: Tickets, *, closed_status: str) -> APIRouter:
    """The routes over `tickets`. Closing a ticket sets `closed_status`."""
    router = APIRouter(prefix=PATH, tags=["tickets"], generate_unique_id_function=lambda route: route.name)
    _add_reading(router, tickets)
    _add_creating(router, tickets)
    _add_changing(router, tickets)
    _add_ending(router, tickets, closed_status)
    return router


def _add_reading(router: APIRouter, tickets: Tickets) -> None:
    @router.get("", response_model=TicketPage)
    def list_tickets(caller: Lister, asked: Annotated[ListParameters, Query()]) -> Response:
        """The tenant's tickets, newest first. Page through them with `next`; a page may be short."""
        query = TicketQuery(
            tenant_id=caller.tenant_id,
            limit=asked.limit,
            status=asked.status,
            customer_id=asked.customer_id,
            after=read_cursor(asked.cursor),
        )
        return Response(_page(tickets.store.find(query)), media_type=JSON)

    @router.get(
        "/{ticket_id}",
        response_model=TicketBody,
        responses=_with_etag(200)
        | {304: {"description": "The caller already has this version."}}
        | problems("not-found"),
    )
    def get_ticket(caller: Reader, ticket_id: TicketIdPath, if_none_match: IfNoneMatch = None) -> Response:
        """A ticket, with its thread and internal notes."""
        condition = None if if_none_match is None else parse_condition(if_none_match, "If-None-Match")
        ticket = tickets.get(caller.tenant_id, ticket_id)
        version = version_of(ticket)
        headers = {"ETag": etag(version)}
        if condition is not None and condition.matches(version):
            return Response(None, 304, headers)
        return Response(document(ticket), 200, headers, JSON)


def _add_creating(router: APIRouter, tickets: Tickets) -> None:
    @router.post(
        "",
        status_code=201,
        response_model=TicketBody,
        responses=_with_etag(201, Location={"description": "Path of the ticket.", "schema": {"type": "string"}})
        | problems("conflict"),
    )
    def create_ticket(caller: Writer, body: NewTicket, idempotency_key: Key = None) -> Response:
        """Create a ticket. Without an id the service chooses one."""
        request = keyed_request(caller, idempotency_key, what=f"POST {PATH}", body=body)
        return _response(tickets.change(create_edit(caller, body, path=PATH), request))


def _add_changing(router: APIRouter, tickets: Tickets) -> None:
    @router.patch("/{ticket_id}", response_model=TicketBody, responses=problems(*_CHANGE) | _with_etag(200))
    def update_ticket(
        caller: Writer,
        ticket_id: TicketIdPath,
        body: TicketPatch,
        if_match: IfMatch = None,
        idempotency_key: Key = None,
    ) -> Response:
        """Replace fields of a ticket. A new status also reopens a closed one."""
        request = keyed_request(caller, idempotency_key, what=f"PATCH {PATH}/{ticket_id}", body=body)
        edit = update_edit(caller, ticket_id, required_condition(if_match), body)
        return _response(tickets.change(edit, request))

    @router.post("/{ticket_id}/comments", response_model=TicketBody, responses=problems(*_CHANGE) | _with_etag(200))
    def add_comment(
        caller: Writer,
        ticket_id: TicketIdPath,
        body: NewComment,
        if_match: IfMatch = None,
        idempotency_key: Key = None,
    ) -> Response:
        """Add a message to the thread."""
        request = keyed_request(caller, idempotency_key, what=f"POST {PATH}/{ticket_id}/comments", body=body)
        edit = comment_edit(caller, ticket_id, required_condition(if_match), body)
        return _response(tickets.change(edit, request))


def _add_ending(router: APIRouter, tickets: Tickets, closed_status: str) -> None:
    @router.post("/{ticket_id}/close", response_model=TicketBody, responses=problems(*_CHANGE) | _with_etag(200))
    def close_ticket(
        caller: Closer,
        ticket_id: TicketIdPath,
        body: Closing | None = None,
        if_match: IfMatch = None,
        idempotency_key: Key = None,
    ) -> Response:
        """Close a ticket, with the resolution as its last message if one is given."""
        request = keyed_request(caller, idempotency_key, what=f"POST {PATH}/{ticket_id}/close", body=body)
        resolution = None if body is None else body.resolution
        edit = close_edit(caller, ticket_id, required_condition(if_match), closed_status, resolution)
        return _response(tickets.change(edit, request))

    @router.delete("/{ticket_id}", status_code=204, response_class=Response, responses=problems(*_CHANGE))
    def delete_ticket(
        caller: Deleter, ticket_id: TicketIdPath, if_match: IfMatch = None, idempotency_key: Key = None
    ) -> Response:
        """Delete a ticket for good. Its id can't be used again."""
        request = keyed_request(caller, idempotency_key, what=f"DELETE {PATH}/{ticket_id}", body=None)
        return _response(tickets.change(delete_edit(caller, ticket_id, required_condition(if_match)), request))


def _with_etag(status: int, **headers: Mapping[str, object]) -> Responses:
    return {status: {"headers": _ETAG | headers}}


def _response(outcome: Outcome) -> Response:
    return Response(outcome.body, outcome.status, outcome.headers, JSON if outcome.body else None)


def _page(page: Page) -> bytes:
    return msgspec.json.encode(
        {"tickets": [_summary(ticket) for ticket in page.tickets], "next": write_cursor(page.next)}
    )


def _summary(ticket: TicketSummary) -> dict[str, object]:
    fields: dict[str, object] = msgspec.structs.asdict(ticket)
    fields["created_at"] = datetime_from_ms(ticket.created_ms)
    fields["updated_at"] = datetime_from_ms(ticket.updated_ms)
    return {name: value for name, value in fields.items() if not name.endswith("_ms")}
