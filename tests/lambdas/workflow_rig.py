"""The steps of the workflow over a store, with a RAG service that answers as it is told."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import msgspec
from pydantic import SecretStr

from core.client_settings import ClientSettings
from core.contract import UpsertEvent
from core.settings import ContractSettings
from lambdas.emf import EmfTelemetry
from lambdas.function import Event
from lambdas.workflow.resources import Rag, Resources
from services.http.problems import unavailable
from services.tickets.changes import Tickets
from tests.connectors.ticket_store.stores import Stores, sqlite_stores

#: A sentence of an answer, and the agent's words that it repeats.
FIX = "Clear the token cache, then sign in again."


def hit(ticket_id: str, similarity: float = 0.9, **labels: str) -> Event:
    """A ticket that the service finds."""
    return {"ticket_id": ticket_id, "similarity": similarity, "payload": {"subject": "private", **labels}}


class Workflow:
    """A store, a RAG service, and the resources of the steps."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self.hits = [hit(f"S-{number}", category="login", priority="high") for number in range(4)]
        self.nothing = False
        self.refused = False
        self.status = 200
        self.full = False
        self.while_asked: Callable[[], object] | None = None
        self.requests: list[httpx.Request] = []
        self.telemetry = EmfTelemetry()
        settings = ClientSettings(rag_url="http://rag.test", token=SecretStr("t"))
        http = httpx.Client(transport=httpx.MockTransport(self._serve))
        self.resources = Resources(
            store=stores.tickets,
            tickets=self._tickets(ContractSettings()),
            rag=Rag(http, lambda: settings),
            new=frozenset({"open", "new"}),
            spam=frozenset({"spam"}),
        )

    def limit(self, max_record_bytes: int) -> None:
        """Limit tickets to this number of bytes."""
        tickets = self._tickets(ContractSettings(max_record_bytes=max_record_bytes))
        self.resources = msgspec.structs.replace(self.resources, tickets=tickets)

    def _tickets(self, limits: ContractSettings) -> Tickets:
        return Tickets(self.stores.tickets, limits=limits, admit=self._admit, written=lambda: None)

    def _admit(self) -> None:
        if self.full:
            raise unavailable("Too many changes wait.")

    def ticket(self, ticket_id: str = "T-1") -> UpsertEvent:
        """The ticket as it is stored."""
        found = self.stores.tickets.get("acme", ticket_id)
        assert isinstance(found, UpsertEvent)
        return found

    def _serve(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.status != 200:
            return httpx.Response(self.status, json={"title": "as the test wants"})
        happens, self.while_asked = self.while_asked, None
        if happens is not None:
            happens()
        if request.method == "GET":
            return httpx.Response(200, json={"hits": self.hits, "nothing": self.nothing, "facets": {}})
        sentence = {
            "text": FIX,
            "citations": [{"source": 1, "start": 0, "end": 9}, {"source": 2, "start": 0, "end": 9}],
        }
        answer = {
            "answer_id": "a" * 32,
            "outcome": "refused" if self.refused else "answered",
            "sentences": [] if self.refused else [sentence],
            "sources": [{"ticket_id": "S-1", "text": FIX}, {"ticket_id": "S-2", "text": FIX}],
        }
        return httpx.Response(200, json=answer)


@contextmanager
def workflow() -> Iterator[Workflow]:
    """An empty store and a service that answers."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        yield Workflow(sqlite_stores(folder, stack))
