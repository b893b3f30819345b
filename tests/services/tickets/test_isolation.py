"""No tenant sees, changes or blocks another's tickets. TICKETS_TEST_OPERATIONS sets the number of requests."""

import os
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any, Final

import msgspec
import pytest
from httpx2 import Response

from connectors.ticket_store.sqlite import SqliteTickets
from core.contract import TicketEvent
from tests.services.tickets.apps import Api, open_api

_OPERATIONS: Final = int(os.environ.get("TICKETS_TEST_OPERATIONS", "500"))
_TENANTS: Final = ("acme", "acme-2", "b")
_IDS: Final = [f"T-{number}" for number in range(8)]


def canary(tenant: str) -> str:
    """A text that only this tenant's tickets have."""
    return f"<<{tenant}>>"


class World:
    """A model of every tenant's tickets, and requests that are compared with it."""

    def __init__(self, api: Api, rng: Random) -> None:
        self.api = api
        self.rng = rng
        self.tickets: dict[str, dict[str, dict[str, Any]]] = {tenant: {} for tenant in _TENANTS}
        self.deleted: set[tuple[str, str]] = set()
        self.cursors: list[str] = []
        self.keys: dict[tuple[str, str], str] = {}
        self.leaks = 0
        self.done: Counter[str] = Counter()

    def run(self, steps: int) -> None:
        """Run `operations` operations."""
        for _ in range(steps):
            self.step()

    def step(self) -> None:
        """One random operation of a random tenant."""
        tenant, ticket_id = self.rng.choice(_TENANTS), self.rng.choice(_IDS)
        operation = self.rng.choice(["create", "get", "get", "list", "patch", "comment", "delete"])
        mine = self.tickets[tenant].get(ticket_id)
        response = getattr(self, f"_{operation}")(tenant, ticket_id, mine)
        self.done[f"{operation} {response.status_code}"] += 1
        text = response.text + str(response.headers)
        self.leaks += any(canary(other) in text for other in _TENANTS if other != tenant)
        if response.status_code in (200, 201) and operation != "list":
            self.tickets[tenant][ticket_id] = response.json()

    def _create(self, tenant: str, ticket_id: str, mine: dict[str, Any] | None) -> Response:
        body = {"ticket_id": ticket_id, "subject": canary(tenant), "status": self.rng.choice("xy"), "customer_id": "C"}
        response = self.api.send("POST", body=body, tenant=tenant)
        assert response.status_code == (409 if mine or (tenant, ticket_id) in self.deleted else 201)
        return response

    def _get(self, tenant: str, ticket_id: str, mine: dict[str, Any] | None) -> Response:
        response = self.api.send("GET", f"/{ticket_id}", tenant=tenant)
        assert response.status_code == (200 if mine else 404)
        assert mine is None or response.json() == mine
        return response

    def _list(self, tenant: str, _ticket_id: str, _mine: object) -> Response:
        status = self.rng.choice([None, "x", "y"])
        query = {"limit": self.rng.randint(1, 5), "status": status, "customer_id": self.rng.choice([None, "C", "D"])}
        if self.cursors and self.rng.random() < 0.5:
            query["cursor"] = self.rng.choice(self.cursors)  # perhaps another tenant's
        given = {name: value for name, value in query.items() if value is not None}
        response = self.api.send("GET", tenant=tenant, params=given)
        page = response.json()
        for summary in page["tickets"]:
            ticket = self.tickets[tenant][summary["ticket_id"]]
            assert (summary["version"], summary["subject"]) == (ticket["version"], ticket["subject"])
            assert status in (None, ticket["status"])
        if page["next"] is not None:
            self.cursors = [*self.cursors[-20:], page["next"]]
        return response

    def _patch(self, tenant: str, ticket_id: str, mine: dict[str, Any] | None) -> Response:
        if_match = self.rng.choice(["*", f'"{self.rng.randint(1, 5)}"'])
        body = {"status": self.rng.choice("xy"), "tags": [canary(tenant)]}
        response = self.api.send("PATCH", f"/{ticket_id}", body, tenant=tenant, headers={"If-Match": if_match})
        fits = mine is not None and if_match in ("*", f'"{mine["version"]}"')
        assert response.status_code == (200 if fits else 412 if mine else 404)
        return response

    def _comment(self, tenant: str, ticket_id: str, mine: dict[str, Any] | None) -> Response:
        key = self.rng.choice("abcdef")
        body = {"body": canary(tenant)}
        response = self.api.send(
            "POST", f"/{ticket_id}/comments", body, tenant=tenant, headers={"Idempotency-Key": key}
        )
        used = self.keys.get((tenant, key))
        if used is not None:
            assert response.status_code == (200 if used == ticket_id else 422)
            if response.status_code == 200 and mine is not None:
                return self.api.send("GET", f"/{ticket_id}", tenant=tenant)  # a replay, which changed nothing
            return Response(204, text=response.text)
        assert response.status_code == (200 if mine else 404)
        if mine:
            self.keys[tenant, key] = ticket_id
        return response

    def _delete(self, tenant: str, ticket_id: str, mine: dict[str, Any] | None) -> Response:
        if self.rng.random() < 0.7:
            return self._get(tenant, ticket_id, mine)
        response = self.api.send("DELETE", f"/{ticket_id}", tenant=tenant)
        assert response.status_code == (204 if mine else 404)
        if mine:
            del self.tickets[tenant][ticket_id]
            self.deleted.add((tenant, ticket_id))
        return response


@pytest.mark.timeout(0)
def test_no_operation_crosses_tenants(tmp_path: Path) -> None:
    """Random operations of tenants with the same ids, keys and cursors agree with a model of each tenant."""
    rng = Random(int(os.environ.get("TICKETS_TEST_SEED") or 7))
    left, number, leaks = _OPERATIONS, 0, 0
    done: Counter[str] = Counter()
    while left > 0:
        with open_api(tmp_path / f"{number}") as api:
            world = World(api, rng)
            world.run(min(left, 250))  # by then most ids are used
            for event in api.outbox():
                found = msgspec.json.decode(event.value, type=TicketEvent)
                assert found.tenant_id == event.tenant_id
                text = event.value.decode()
                leaks += any(canary(other) in text for other in _TENANTS if other != event.tenant_id)
        leaks += world.leaks
        done += world.done
        left, number = left - 250, number + 1
    print(f"{sum(done.values())} operations, {leaks} leaks: {dict(sorted(done.items()))}")
    assert leaks == 0
    assert {name for name, count in done.items() if count > _OPERATIONS // 1000} >= {
        "create 201",
        "create 409",
        "get 200",
        "get 404",
        "list 200",
        "patch 200",
        "patch 412",
        "comment 200",
        "delete 204",
    }


def test_the_check_finds_a_store_that_crosses_tenants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check fails on a store that looks tickets up without their tenant."""
    get = SqliteTickets.get

    def careless(self: SqliteTickets, tenant_id: str, ticket_id: str) -> TicketEvent | None:
        found = (get(self, tenant, ticket_id) for tenant in (tenant_id, *_TENANTS))
        return next((event for event in found if event is not None), None)

    monkeypatch.setattr(SqliteTickets, "get", careless)
    with open_api(tmp_path) as api:
        world = World(api, Random(1))
        with pytest.raises(AssertionError):
            world.run(300)
