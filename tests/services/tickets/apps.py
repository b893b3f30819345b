"""The ticket API in this process, without a relay, and callers of several tenants."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, cast

import msgspec
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

from connectors.ticket_store.sqlite import SqliteStores, open_sqlite
from core.callers import Role
from core.service_settings import LimitSettings
from core.settings import ContractSettings, Settings
from core.ticket_store import OutboxEvent
from runtime.telemetry import Telemetry
from services.http.callers import Caller, SignIn
from services.http.limits import throttle_of_process
from services.http.problems import Problem
from services.tickets.app import tickets_app
from services.tickets.changes import Tickets

PATH: Final = "/api/v1/tickets"
#: 2026-01-05T08:00:00Z.
NOW_S: Final = 1_767_600_000.0
#: Rate limits that no test reaches.
UNLIMITED: Final = LimitSettings(user_requests=10**9, tenant_requests=10**9, address_requests=10**9)


class NamedCallers:
    """An authenticator whose tokens name the caller: `tenant/user/role,role`."""

    async def authenticate(self, token: str) -> Caller:
        """The caller of a token."""
        parts = token.split("/")
        if len(parts) != 3:
            raise Problem("unauthenticated", "No token.")
        roles = frozenset(cast("list[Role]", parts[2].split(",")))
        return Caller(parts[0], parts[1], roles, SignIn(token, int(NOW_S) * 1000, int(NOW_S) * 2000))


class Api:
    """The app, its store, and requests to it."""

    def __init__(self, app: FastAPI, client: TestClient, stores: SqliteStores) -> None:
        self.app = app
        self.client = client
        self.stores = stores
        self.now_s = NOW_S
        self.full: Problem | None = None

    def send(
        self,
        method: str,
        path: str = "",
        body: object = None,
        *,
        tenant: str = "acme",
        user: str = "jane",
        role: str = "operator",
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Response:
        """The response to a request to `path` below /tickets, with `If-Match: *` on changes."""
        sent = {
            "Authorization": f"Bearer {tenant}/{user}/{role}",
            "Content-Type": "application/json",
            "If-Match": "*",
            **(headers or {}),
        }
        kept = {name: value for name, value in sent.items() if value}
        content = None if body is None else msgspec.json.encode(body)
        return self.client.request(method, PATH + path, headers=kept, content=content, **options)

    def create(self, **fields: object) -> dict[str, Any]:
        """A new ticket."""
        response = self.send("POST", body=fields)
        assert response.status_code == 201, response.text
        return cast("dict[str, Any]", response.json())

    def outbox(self) -> list[OutboxEvent]:
        """The events in the outbox."""
        return [event for page in self.stores.outbox.pages(100) for event in page]


@contextmanager
def open_api(folder: Path, **limits: int) -> Iterator[Api]:
    """The app over a SQLite file in `folder`, with these limits of the contract."""
    settings = Settings(contract=ContractSettings.model_validate(limits))
    with ExitStack() as stack:
        stores = open_sqlite(folder / "tickets.db", stack)

        def admit() -> None:
            if api.full is not None:
                raise api.full

        tickets = Tickets(
            stores.tickets,
            limits=settings.contract,
            admit=admit,
            written=lambda: None,
            clock=lambda: api.now_s,
        )
        app = tickets_app(
            tickets,
            settings=settings,
            authenticator=NamedCallers(),
            telemetry=Telemetry(),
            throttle=throttle_of_process(UNLIMITED),
        )
        client = stack.enter_context(TestClient(app, raise_server_exceptions=False))
        api = Api(app, client, stores)
        yield api


def fields_of(response: Response) -> list[str]:
    """The fields that a problem document names."""
    return [error["field"] for error in response.json().get("errors", ())]
