"""The OpenAPI document of the ticket API, as docs/openapi/tickets.json has it."""

from typing import Any, cast

from core.settings import Settings
from core.ticket_store import TicketStore
from runtime.telemetry import Telemetry
from services.tickets.app import tickets_app
from services.tickets.changes import Tickets
from tests.services.tickets.apps import NamedCallers


def tickets_document() -> dict[str, Any]:
    """The document, from an app without a store."""
    settings = Settings()
    tickets = Tickets(cast("TicketStore", None), limits=settings.contract, admit=lambda: None, written=lambda: None)
    app = tickets_app(tickets, settings=settings, authenticator=NamedCallers(), telemetry=Telemetry())
    return app.openapi()
