"""No tenant sees or moves what another has, whatever it sends. TICKETS_TEST_OPERATIONS sets the number of requests."""

import os
from collections import Counter
from random import Random
from typing import Final

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from core.contract import DeleteEvent
from core.index import SearchQuery
from runtime.searcher import IndexSearcher
from search.result import Answer
from tests.services.rag.asking import ANSWERS, SEARCH, STREAM
from tests.services.rag.world import RagWorld, ticket

_OPERATIONS: Final = int(os.environ.get("TICKETS_TEST_OPERATIONS", "250"))
_TENANTS: Final = ("acme", "globex", "initech")
_IDS: Final = [f"S-{number}" for number in range(4)]
_STATUSES: Final = ("solved", "open")


class Model:
    """Every tenant's tickets and answers, and requests that are compared with them."""

    def __init__(self, world: RagWorld, client: TestClient, rng: Random) -> None:
        self._world = world
        self._client = client
        self._rng = rng
        self._headers = {tenant: world.issuer.headers(world.tenant(tenant)) for tenant in _TENANTS}
        #: The canary of each ticket's current version, and those that were replaced or deleted.
        self.canaries: dict[tuple[str, str], str] = {}
        self.gone: set[str] = set()
        self.versions: Counter[tuple[str, str]] = Counter()
        self.answers: dict[str, list[str]] = {tenant: [] for tenant in _TENANTS}
        self.leaks: list[str] = []
        self.done: Counter[str] = Counter()

    def run(self, steps: int) -> None:
        """This number of operations, none of which shows what it must not."""
        for _ in range(steps):
            self.step()
        assert self.leaks == []

    def step(self) -> None:
        """One random operation of a random tenant."""
        tenant, ticket_id = self._rng.choice(_TENANTS), self._rng.choice(_IDS)
        operation = self._rng.choice(["write", "search", "similar", "answer", "answer", "feedback"])
        response = getattr(self, f"_{operation}")(tenant, ticket_id)
        if response is None:
            self.done[operation] += 1
            return
        self.done[f"{operation} {response.status_code}"] += 1
        foreign = [canary for (owner, _id), canary in self.canaries.items() if owner != tenant]
        text = response.text + str(response.headers)
        self.leaks += [canary for canary in (*foreign, *self.gone) if canary in text]

    def _write(self, tenant: str, ticket_id: str) -> None:
        """Change a ticket, or now and then delete it."""
        key = (tenant, ticket_id)
        self.versions[key] += 1
        if key in self.canaries:
            self.gone.add(self.canaries.pop(key))
        if self._rng.random() < 0.2:
            self._world.write(DeleteEvent(tenant_id=tenant, ticket_id=ticket_id, version=self.versions[key]))
            return
        canary = f"CNRY-{self._rng.randrange(10**6):06}"
        self.canaries[key] = canary
        fix = f"Set lease_ms to 9041 and quote {canary} to the sync agent."
        status = self._rng.choice(_STATUSES)
        self._world.write(ticket(ticket_id, fix, tenant=tenant, status=status, version=self.versions[key]))

    def _search(self, tenant: str, ticket_id: str) -> Response:
        wanted = [*self.canaries.values(), *self.gone, ticket_id]
        body = {"question": f"SYNC-4711 {self._rng.choice(wanted)}", "limit": self._rng.choice([1, 5, 100])}
        response = self._send("POST", SEARCH, tenant, body)
        found = {hit["ticket_id"]: hit for hit in response.json()["hits"]}
        assert {hit["tenant_id"] for hit in found.values()} <= {self._world.tenant(tenant)}
        assert all(hit["version"] == self.versions[tenant, one] for one, hit in found.items() if one in _IDS)
        return response

    def _similar(self, tenant: str, ticket_id: str) -> Response:
        response = self._send("GET", f"/api/v1/tickets/{ticket_id}/similar", tenant)
        assert response.status_code == (200 if (tenant, ticket_id) in self.canaries else 404)
        return response

    def _answer(self, tenant: str, ticket_id: str) -> Response:
        about = {"ticket_id": ticket_id} if self._rng.random() < 0.3 else {}
        headers = STREAM if self._rng.random() < 0.3 else {}
        response = self._send("POST", ANSWERS, tenant, {"question": "What helps against SYNC-4711?", **about}, headers)
        assert response.status_code == (404 if about and (tenant, ticket_id) not in self.canaries else 200)
        if response.status_code == 200 and not headers:
            self.answers[tenant].append(response.json()["answer_id"])
        return response

    def _feedback(self, tenant: str, _ticket_id: str) -> Response | None:
        owner = self._rng.choice(_TENANTS)
        if not self.answers[owner]:
            return None
        path = f"{ANSWERS}/{self._rng.choice(self.answers[owner])}/feedback"
        response = self._send("POST", path, tenant, {"verdict": self._rng.choice(["sent", "discarded"])})
        assert response.status_code == (204 if owner == tenant else 404)
        return response

    def _send(
        self, method: str, path: str, tenant: str, body: object = None, headers: dict[str, str] | None = None
    ) -> Response:
        return self._client.request(method, path, json=body, headers={**self._headers[tenant], **(headers or {})})


@pytest.mark.timeout(0)
def test_no_operation_crosses_tenants(world: RagWorld) -> None:
    """Random operations of tenants with the same ticket ids show each its own current tickets, and no others."""
    with world.client() as client:
        model = Model(world, client, Random(7))
        model.run(_OPERATIONS)
    print(f"{sum(model.done.values())} operations, {len(model.leaks)} leaks: {dict(sorted(model.done.items()))}")
    assert {"write", "search 200", "similar 200", "similar 404", "answer 200"} <= set(model.done)
    assert {"feedback 204", "feedback 404"} <= set(model.done)
    voters = {one.answer.tenant_id for one in world.feedback.all()}
    assert voters <= {world.tenant(tenant) for tenant in _TENANTS}


class _Careless(IndexSearcher):
    """Searches the tenant that has most to show."""

    def __init__(self, world: RagWorld) -> None:
        super().__init__(index=world.index, embedder=world.embedder)
        self._tenants = [world.tenant(tenant) for tenant in _TENANTS]

    def search(self, text: str, query: SearchQuery, *, plain: bool = False) -> Answer:
        asked = [SearchQuery(tenant_id=tenant, limit=query.limit) for tenant in self._tenants]
        found = [super(_Careless, self).search(text, one, plain=plain) for one in asked]
        return max(found, key=lambda answer: len(answer.hits))


def test_the_check_finds_a_searcher_that_crosses_tenants(world: RagWorld) -> None:
    """A searcher that answers from whichever tenant has most is found out."""
    with world.client(world.answering(searcher=_Careless(world))) as client:
        model = Model(world, client, Random(1))
        with pytest.raises(AssertionError):
            model.run(200)
