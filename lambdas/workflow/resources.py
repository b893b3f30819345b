"""The resources of the workflow's steps: the tickets' store, and the RAG service under a token of each tenant.

A step that needs the model asks the RAG service over HTTP, because model and index don't fit into a function.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Final

import httpx
from msgspec import Struct
from pydantic import SecretStr

from connectors.credentials.secrets import open_secrets
from connectors.ticket_store.dynamodb import open_dynamodb
from core.client_settings import ClientSettings
from core.contract import TicketEvent, UpsertEvent
from core.errors import ConfigError, FatalError, NoTicketError, TransientError
from core.settings import Settings
from core.ticket_store import TicketStore
from lambdas.function import Event
from runtime.access_tokens import open_token
from runtime.service_client import ServiceClient, base_url, open_http_client
from runtime.similar_tickets import SimilarTicketsClient
from services.http.problems import Problem
from services.tickets.changes import Edit, Tickets
from services.tickets.preconditions import Condition

#: Makes the next version of a ticket at a time in ms since the epoch; None if nothing changes.
Make = Callable[[UpsertEvent, int], UpsertEvent | None]

_ANY: Final = Condition(None)


class NotIndexedError(TransientError):
    """The ticket isn't in the index yet: the stream needs some seconds to write it."""


class Rag:
    """The RAG service, under a token of each ticket's tenant. Not safe to use from several threads."""

    def __init__(self, http: httpx.Client, load: Callable[[], ClientSettings]) -> None:
        """Call it over `http`. `load` reads the settings with their secret at the first call."""
        self._http = http
        self._load = load
        self._settings: ClientSettings | None = None
        self._clients: dict[str, SimilarTicketsClient] = {}

    @contextmanager
    def of(self, tenant_id: str) -> Iterator[SimilarTicketsClient]:
        """The client for a tenant's tickets.

        Raises:
            NotIndexedError: inside, instead of `NoTicketError`.
        """
        if tenant_id not in self._clients:
            self._clients[tenant_id] = self._open(tenant_id)
        try:
            yield self._clients[tenant_id]
        except NoTicketError:
            raise NotIndexedError("the ticket is not in the index yet") from None

    def _open(self, tenant_id: str) -> SimilarTicketsClient:
        if self._settings is None:
            self._settings = self._load()
        token = open_token(self._settings, self._http, tenant=tenant_id)
        return SimilarTicketsClient(ServiceClient(self._http, "rag", base_url(self._settings, "rag"), token))


class Resources(Struct, frozen=True, eq=False):
    """The store, the changes of tickets, the RAG service, and the statuses of new tickets and categories of spam."""

    store: TicketStore
    tickets: Tickets
    rag: Rag
    new: frozenset[str]
    spam: frozenset[str]

    def read(self, event: Event) -> UpsertEvent:
        """The ticket that the state machine's input names.

        Raises:
            NoTicketError: it is deleted.
        """
        return self.tickets.get(event["tenant_id"], event["ticket_id"])

    def change(self, ticket: UpsertEvent, make: Make) -> None:
        """Write the next version of a ticket.

        Args:
            ticket: any version of it.
            make: makes the next version from the current one, or None if there is nothing to change.

        Raises:
            NoTicketError: the ticket was deleted.
            TransientError: others keep changing it, or the outbox is full.
            FatalError: it would be larger than the contract allows.
        """

        def checked(current: UpsertEvent | None, now_ms: int) -> TicketEvent:
            assert current is not None  # noqa: S101 - an edit with a condition has a ticket
            made = make(current, now_ms)
            if made is None:
                raise _NothingToDoError
            return made

        edit = Edit(tenant_id=ticket.tenant_id, ticket_id=ticket.ticket_id, condition=_ANY, make=checked, status=200)
        try:
            self.tickets.change(edit, None)
        except _NothingToDoError:
            return
        except Problem as problem:
            if problem.kind in ("conflict", "unavailable"):
                raise TransientError(f"the ticket can't be changed now: {problem.detail}") from None
            raise FatalError(f"the ticket can't be changed: {problem.detail}") from None


class _NothingToDoError(Exception):
    """The change has been made already."""


def open_resources(settings: Settings, stack: ExitStack) -> Resources:
    """The resources, with their connections.

    Raises:
        ConfigError: a setting is wrong.
        UnavailableError: the tables can't be reached.
    """
    stores = open_dynamodb(prefix=settings.api.table_prefix, region=settings.api.aws_region)
    return Resources(
        store=stores.tickets,
        # The outbox isn't measured: a change of the workflow is one of a ticket that was admitted.
        tickets=Tickets(stores.tickets, limits=settings.contract, admit=_nothing, written=_nothing),
        rag=Rag(open_http_client(settings.client, stack), partial(with_secret, settings)),
        new=listed(settings.workflow.new_statuses),
        spam=listed(settings.workflow.spam_categories),
    )


def with_secret(settings: Settings) -> ClientSettings:
    """The settings of the RAG service's client, with the credentials of the secret that they name, if any.

    Raises:
        ConfigError: the secret lacks a field.
        FatalError: it can't be read.
    """
    secret_id = settings.workflow.client_secret_id
    if secret_id is None:
        return settings.client
    secret = open_secrets(settings.workflow.aws_region).get(secret_id, "AWSCURRENT")
    if secret is None or not {"client_id", "client_secret"} <= secret.keys():
        raise ConfigError(f"TICKETS_WORKFLOW__CLIENT_SECRET_ID: {secret_id} needs the fields client_id, client_secret")
    given = {"client_id": secret["client_id"], "client_secret": SecretStr(secret["client_secret"])}
    return settings.client.model_copy(update=given)


def listed(text: str) -> frozenset[str]:
    """The words of a setting."""
    return frozenset(word.strip() for word in text.split(",") if word.strip())


def _nothing() -> None:
    pass
