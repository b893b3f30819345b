"""Random requests of tenants to the RAG service, compared with a model of each tenant's data."""

import re
from collections import Counter
from itertools import product
from random import Random
from typing import Any, Final

from core.contract import DeleteEvent
from tests.rigs.direct import Direct, Reply
from tests.services.rag.asking import ANSWERS, SEARCH, STREAM
from tests.services.rag.tools import Tools
from tests.services.rag.world import RagWorld, events_of, ticket

_SAY_EVERY: Final = 10_000
TENANTS: Final = ("acme", "globex", "initech")
_IDS: Final = [f"S-{number}" for number in range(4)]
#: A ticket that every tenant has with the same id, version and text; only the tenants' names in it differ.
_TWIN: Final = "W-1"
_TWIN_FIX: Final = "Replace the seal of TWIN-77 and tighten it to 30 newton metres."
_CHOICES: Final = ("write", "search", "search", "similar", "answer", "answer", "answer", "feedback", "tool")
_QUESTIONS: Final = ("What helps against SYNC-4711?", "Why does the sync agent stop?", "What helps against TWIN-77?")
#: Texts that mark one version of one tenant's ticket: its resolution, and an internal note.
_CANARY: Final = re.compile(r"(?:CNRY|NOTE)-\d{6}")


class Model:
    """A model of every tenant's tickets and answers. It makes requests and compares the responses with them."""

    def __init__(self, world: RagWorld, service: Direct, rng: Random) -> None:
        self._world = world
        self._service = service
        self._tools = Tools(service)
        self._rng = rng
        self._names = {tenant: world.tenant(tenant) for tenant in TENANTS}
        self._headers = self._sign_in()
        #: By ticket: its canaries (the second one is in an internal note), and whether it is solved.
        self.tickets: dict[tuple[str, str], tuple[tuple[str, str], bool]] = {}
        self.versions: Counter[tuple[str, str]] = Counter()
        self.answers: dict[str, list[str]] = {tenant: [] for tenant in TENANTS}
        self.leaks: list[str] = []
        self.done: Counter[str] = Counter()

    def run(self, steps: int) -> None:
        """Make this number of operations and assert that none leaks data."""
        with self._tools:
            for number in range(1, steps + 1):
                self.step()
                if number % _SAY_EVERY == 0:
                    print(f"{number} of {steps} operations, {len(self.leaks)} leaks", flush=True)
                    self._headers = self._sign_in()  # tokens expire
        assert self.leaks == []

    def _sign_in(self) -> dict[tuple[str, str], dict[str, str]]:
        """The headers of an agent and a program of each tenant."""
        callers = product(TENANTS, ("agent", "service"))
        return {caller: self._world.issuer.headers(self._names[caller[0]], caller[1]) for caller in callers}

    def step(self) -> None:
        """Make one random operation of a random tenant."""
        tenant, ticket_id = self._rng.choice(TENANTS), self._rng.choice([*_IDS, _TWIN])
        getattr(self, f"_{self._rng.choice(_CHOICES)}")(tenant, ticket_id)

    def _write(self, tenant: str, ticket_id: str) -> None:
        """Change or, more rarely, delete a ticket; the twin is written for all tenants."""
        if ticket_id == _TWIN:
            version = 1 + max(self.versions[owner, _TWIN] for owner in TENANTS)
            for owner in TENANTS:
                self.versions[owner, _TWIN] = version
                self.tickets[owner, _TWIN] = (("", ""), True)
                one = ticket(_TWIN, _TWIN_FIX, tenant=owner, subject="TWIN-77", body="It leaks.", version=version)
                self._world.write(one)
            self.done["write"] += len(TENANTS)
            return
        key = (tenant, ticket_id)
        self.versions[key] += 1
        self.done["write"] += 1
        if self.tickets.pop(key, None) is not None and self._rng.random() < 0.2:
            self._world.write(DeleteEvent(tenant_id=tenant, ticket_id=ticket_id, version=self.versions[key]))
            return
        number = f"{self._rng.randrange(10**6):06}"
        solved = self._rng.random() < 0.7
        self.tickets[key] = ((f"CNRY-{number}", f"NOTE-{number}"), solved)
        fix = f"Set lease_ms to 9041 and quote CNRY-{number} to the sync agent."
        note = f"The customer of SYNC-4711 gets voucher NOTE-{number}."
        status = "solved" if solved else "open"
        version = self.versions[key]
        self._world.write(ticket(ticket_id, fix, tenant=tenant, status=status, note=note, version=version))

    def _search(self, tenant: str, ticket_id: str) -> None:
        role = self._rng.choice(["agent", "service"])
        canary = self._rng.choice([*(one for pair, _ in self.tickets.values() for one in pair), ticket_id])
        solved = self._rng.choice([None, None, True])
        body = {"question": f"SYNC-4711 {canary}", "limit": self._rng.choice([1, 5, 100])}
        reply = self._send("POST", SEARCH, tenant, body | {"filters": {"solved": solved}}, role=role)
        self._check("search", reply, tenant, notes=role == "agent")
        self._check_hits(reply, tenant)
        own = {
            pair[0]: one for (owner, one), (pair, is_solved) in self.tickets.items() if owner == tenant and is_solved
        }
        if canary in own and body["limit"] == 100:
            assert own[canary] in {hit["ticket_id"] for hit in reply.json()["hits"]}, canary

    def _similar(self, tenant: str, ticket_id: str) -> None:
        role = self._rng.choice(["agent", "service"])
        reply = self._send("GET", f"/api/v1/tickets/{ticket_id}/similar?limit=20", tenant, role=role)
        self._check("similar", reply, tenant, notes=role == "agent")
        assert reply.status == (200 if (tenant, ticket_id) in self.tickets else 404)
        if reply.status == 200:
            assert ticket_id not in self._check_hits(reply, tenant)

    def _answer(self, tenant: str, ticket_id: str) -> None:
        """Ask for JSON or a stream. Questions are repeated, so that some answers come from the cache."""
        about = {"ticket_id": ticket_id} if self._rng.random() < 0.3 else {}
        streamed = self._rng.random() < 0.4
        body = {"question": self._rng.choice(_QUESTIONS), "limit": self._rng.choice([1, 10]), **about}
        reply = self._send("POST", ANSWERS, tenant, body, headers=STREAM if streamed else None)
        self._check("stream" if streamed and reply.status == 200 else "answer", reply, tenant, notes=False)
        assert reply.status == (404 if about and (tenant, ticket_id) not in self.tickets else 200)
        if reply.status != 200:
            return
        if streamed:
            events = dict(events_of(reply.body.decode()))
            assert "done" in events
            document: dict[str, Any] = events["sources"]
        else:
            document = reply.json()
        self.answers[tenant].append(document["answer_id"])
        for one in document["sources"]:
            key = (tenant, one["ticket_id"])
            assert one["version"] == self.versions[key] or one["ticket_id"] not in (*_IDS, _TWIN)
            assert one["ticket_id"] != about.get("ticket_id")
            assert key not in self.tickets or self.tickets[key][1], "the source of an answer is not solved"

    def _feedback(self, tenant: str, _ticket_id: str) -> None:
        owner = self._rng.choice(TENANTS)
        if not self.answers[owner]:
            return
        path = f"{ANSWERS}/{self._rng.choice(self.answers[owner][-50:])}/feedback"
        body = {"verdict": self._rng.choice(["sent", "discarded"])}
        reply = self._send("POST", path, tenant, body, role=self._rng.choice(["agent", "service"]))
        self._check("feedback", reply, tenant, notes=False)
        assert reply.status == (204 if owner == tenant else 404)

    def _tool(self, tenant: str, ticket_id: str) -> None:
        """Call a tool as an assistant does."""
        name = self._rng.choice(["search", "similar_tickets", "cited_answer"])
        question = self._rng.choice([*_QUESTIONS, *(one for pair, _ in self.tickets.values() for one in pair if one)])
        arguments: dict[str, object] = {"question": question}
        if name == "similar_tickets":
            arguments = {"ticket_id": ticket_id}
        found, text = self._tools.call(name, arguments, self._headers[tenant, "agent"])
        self.done[f"{name} {'200' if found else '404'}"] += 1
        self._check_text(text, tenant, notes=name != "cited_answer")
        assert found == (name != "similar_tickets" or (tenant, ticket_id) in self.tickets), text

    def _send(
        self,
        method: str,
        path: str,
        tenant: str,
        body: object = None,
        *,
        role: str = "agent",
        headers: dict[str, str] | None = None,
    ) -> Reply:
        given = {**self._headers[tenant, role], **(headers or {})}
        return self._service.request(method, path, headers=given, body=body)

    def _check(self, operation: str, reply: Reply, tenant: str, *, notes: bool) -> None:
        self.done[f"{operation} {reply.status}"] += 1
        self._check_text(reply.text, tenant, notes=notes)

    def _check_text(self, text: str, tenant: str, *, notes: bool) -> None:
        """Record each canary that the caller may not see, and each name of another tenant."""
        own = [pair for (owner, _), (pair, _) in self.tickets.items() if owner == tenant]
        allowed = {one for pair in own for one in pair[: 2 if notes else 1]}
        self.leaks += sorted(set(_CANARY.findall(text)) - allowed)
        self.leaks += [name for other, name in self._names.items() if other != tenant and name in text]

    def _check_hits(self, reply: Reply, tenant: str) -> set[str]:
        found = {hit["ticket_id"]: hit for hit in reply.json()["hits"]}
        assert {hit["tenant_id"] for hit in found.values()} <= {self._names[tenant]}
        assert all(hit["version"] == self.versions[tenant, one] for one, hit in found.items() if one in _IDS)
        return set(found)
