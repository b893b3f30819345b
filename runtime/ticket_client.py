"""A client of the ticket API."""

from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from core.errors import ConfigError, FatalError
from runtime.service_client import Reply, ServiceClient, segment

T = TypeVar("T")

PATH: Final = "/api/v1/tickets"


class TicketMessage(Struct, frozen=True):
    """A message of a ticket's thread. `public` is false for an internal note."""

    author: str
    body: str
    created_at: str
    public: bool = True


class Ticket(Struct, frozen=True, kw_only=True):
    """A ticket. Times are RFC 3339."""

    ticket_id: str
    version: int
    updated_at: str
    subject: str = ""
    body: str = ""
    status: str = ""
    channel: str = ""
    priority: str | None = None
    category: str | None = None
    customer_id: str | None = None
    tags: tuple[str, ...] = ()
    messages: tuple[TicketMessage, ...] = ()


class TicketRow(Struct, frozen=True, kw_only=True):
    """A ticket in a list. `messages` counts those of its thread."""

    ticket_id: str
    version: int
    updated_at: str
    subject: str = ""
    status: str = ""
    messages: int = 0


class TicketPage(Struct, frozen=True):
    """A page of a list, and the cursor of the next page (None at the end)."""

    tickets: tuple[TicketRow, ...]
    next: str | None = None


class TicketClient:
    """Calls the ticket API. Every method raises the errors of `ServiceClient.call`.

    A change names the version that it replaces; None replaces any.
    """

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    def create(self, fields: dict[str, object], *, key: str | None = None) -> Reply:
        """Create a ticket. A request that is repeated with its `key` creates only one."""
        if key is not None and not (key.isascii() and key.isprintable()):
            raise ConfigError("an idempotency key may only have visible ASCII characters; use for example a UUID")
        return self._client.call("POST", PATH, body=fields, headers={} if key is None else {"Idempotency-Key": key})

    def get(self, ticket_id: str) -> Reply:
        """A ticket with its thread."""
        return self._client.call("GET", _path(ticket_id))

    def find(self, *, limit: int, status: str | None, customer_id: str | None, cursor: str | None) -> Reply:
        """A page of the tenant's tickets, newest first."""
        given = {"limit": limit, "status": status, "customer_id": customer_id, "cursor": cursor}
        params = {name: value for name, value in given.items() if value is not None}
        return self._client.call("GET", PATH, params=params)

    def comment(self, ticket_id: str, text: str, *, public: bool, version: int | None) -> Reply:
        """Add a message to the thread."""
        body = {"body": text, "public": public}
        return self._client.call("POST", f"{_path(ticket_id)}/comments", body=body, headers=_condition(version))

    def close(self, ticket_id: str, *, resolution: str | None, version: int | None) -> Reply:
        """Close a ticket; the resolution becomes its last message."""
        body = None if resolution is None else {"resolution": resolution}
        return self._client.call("POST", f"{_path(ticket_id)}/close", body=body, headers=_condition(version))

    def delete(self, ticket_id: str, *, version: int | None) -> None:
        """Delete a ticket for good."""
        self._client.call("DELETE", _path(ticket_id), headers=_condition(version))


def ticket_of(reply: Reply) -> Ticket:
    """The ticket of a reply.

    Raises:
        FatalError: the reply is of another version of the API.
    """
    return _decoded(reply, _TICKETS)


def page_of(reply: Reply) -> TicketPage:
    """The page of a list in a reply.

    Raises:
        FatalError: the reply is of another version of the API.
    """
    return _decoded(reply, _PAGES)


_TICKETS: Final = msgspec.json.Decoder(Ticket)
_PAGES: Final = msgspec.json.Decoder(TicketPage)


def _decoded(reply: Reply, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(reply.content)
    except (ValueError, RecursionError) as error:
        raise FatalError(f"the ticket API answered in another version: {error}") from None


def _path(ticket_id: str) -> str:
    return f"{PATH}/{segment(ticket_id)}"


def _condition(version: int | None) -> dict[str, str]:
    return {"If-Match": "*" if version is None else f'"{version}"'}
