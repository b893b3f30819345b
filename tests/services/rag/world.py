"""A RAG service over an index of a few tickets of two tenants, in this process."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

import msgspec
from fastapi import FastAPI
from fastapi.testclient import TestClient

from answers.chain import Chain, Link
from answers.extractive import ExtractiveWriter
from answers.writer import Writer
from connectors.cache.memory import MemoryCache
from connectors.feedback.sqlite import open_feedback
from connectors.qdrant.open import open_index_for_writing
from connectors.qdrant.policy import VersionedIndex
from core.cache import Cache
from core.contract import Message, TicketEvent, UpsertEvent, record_key
from core.feedback import FeedbackStore
from core.model_settings import ModelSettings
from core.records import Origin, Record
from core.service_settings import LimitSettings, RagSettings
from core.settings import IndexSettings, Settings
from maintenance.reindexer import Reindexer
from models.run.hashing import HashingEmbedder
from runtime.searcher import IndexSearcher, Searcher
from runtime.telemetry import Telemetry
from services.http.limits import throttle_of_process
from services.rag.answering import Answering
from services.rag.app import rag_app
from services.rag.known_votes import KnownVotes
from services.rag.pulling import open_pool
from services.rag.routes import Service
from stream.plan import ticket_steps
from tests.rigs.direct import Direct
from tests.rigs.issuer import Issuer

QUESTION: Final = "What helps against SYNC-4711?"
#: The solution at acme and the one at globex; each is a canary for leaks to the other tenant.
FIX: Final = "Set the field lease_ms to 9041 in agent.conf and restart the sync agent."
OTHER_FIX: Final = "Replace the certificate GLX-7730 on host sync7.globex.example."
NOTE: Final = "The customer SYNC-4711 threatened to leave, discount code NOTE-5150."
_UNLIMITED: Final = LimitSettings(user_requests=10**9, tenant_requests=10**9, address_requests=10**9)
_START_MS: Final = 1_767_225_600_000
_MINUTE_MS: Final = 60_000


def ticket(
    ticket_id: str,
    *replies: str,
    tenant: str = "acme",
    subject: str = "Sync fails with SYNC-4711",
    body: str = "Since the update the sync agent stops with SYNC-4711.",
    status: str = "solved",
    note: str | None = None,
    version: int = 1,
) -> UpsertEvent:
    """A ticket of a customer with an agent's replies, and an internal note before them."""
    messages = [] if note is None else [Message(author="agent", body=note, created_at=_START_MS, public=False)]
    messages += [
        Message(author="agent", body=reply, created_at=_START_MS + number * _MINUTE_MS)
        for number, reply in enumerate(replies, 1)
    ]
    return UpsertEvent(
        tenant_id=tenant,
        ticket_id=ticket_id,
        created_at=_START_MS,
        updated_at=_START_MS + version * _MINUTE_MS,
        version=version,
        subject=subject,
        body=body,
        status=status,
        channel="email",
        messages=tuple(messages),
    )


TICKETS: Final = (
    ticket("T-1", "The lease ran out, which SYNC-4711 means.", FIX, note=NOTE),
    ticket("T-2", "We look into it.", status="open", body="SYNC-4711 again, and again."),
    ticket("T-3", "Use the other door.", subject="Door", body="The door is stuck."),
    ticket("G-1", "The certificate had expired.", OTHER_FIX, tenant="globex"),
    ticket("a/b c", "Enter it twice.", subject="Slash", body="The slash is missing in PATH-88."),
)


def new_index(folder: Path, stack: ExitStack) -> VersionedIndex:
    """An empty embedded index. It takes a second, so worlds share one."""
    embedder = HashingEmbedder()
    index = open_index_for_writing(
        IndexSettings(path=folder / "index"), dimension=embedder.dimension, model=embedder.stamp
    )
    stack.callback(index.close)
    return index


class RagWorld:
    """The service and its dependencies, with its own tenants `acme` and `globex` in a shared index."""

    def __init__(self, index: VersionedIndex, folder: Path) -> None:
        self.settings = Settings(model=ModelSettings(name="hashing"))
        self.embedder = HashingEmbedder()
        self.index = index
        self._name = uuid4().hex[:8]
        self.acme, self.globex = self.tenant("acme"), self.tenant("globex")
        self.issuer = Issuer()
        self.telemetry = Telemetry()
        self.feedback = open_feedback(folder / "feedback.db")

        self.fault: str | None = None
        self._offset = 0
        steps = ticket_steps(self.settings, self.embedder)
        self._writer = Reindexer(steps=steps, index=self.index, settings=self.settings.writer)
        self.write(*TICKETS)

    def tenant(self, name: str) -> str:
        """The tenant that stands for `name` in this world."""
        return f"{name}-{self._name}"

    def write(self, *tickets: TicketEvent) -> None:
        """Index events, as a worker does."""
        records = []
        for ticket in tickets:
            one = msgspec.structs.replace(ticket, tenant_id=self.tenant(ticket.tenant_id))
            key, value = record_key(one.tenant_id, one.ticket_id), msgspec.json.encode(one)
            records.append(Record(Origin("tickets.raw", 0, self._offset), key, value, _START_MS))
            self._offset += 1
        self._writer.index_records(records)

    def searcher(self) -> IndexSearcher:
        """A searcher of the index."""
        return IndexSearcher(index=self.index, embedder=self.embedder, settings=self.settings.search)

    def answering(
        self,
        *,
        searcher: Searcher | None = None,
        writers: Sequence[Writer] = (),
        cache: Cache | None = None,
        deadline_s: float = 20.0,
        feedback: FeedbackStore | None = None,
        fresh_s: float = 0.0,
    ) -> Answering:
        """The service's `Answering`, by default with the extractive writer."""
        chain = Chain(links=tuple(Link(writer=one, deadline_s=deadline_s) for one in (*writers, ExtractiveWriter())))
        feedback = feedback or self.feedback
        return Answering(
            searcher=searcher or self.searcher(),
            chain=chain,
            feedback=feedback,
            known=KnownVotes(feedback, fresh_s=fresh_s),
            cache=cache or MemoryCache(max_bytes=10**7),
            telemetry=self.telemetry,
            useful=self.settings.search.useful_factor,
        )

    @contextmanager
    def direct(self, answering: Answering | None = None) -> Iterator[Direct]:
        """The service without a server or client, for many requests."""
        with self.app(answering) as app, Direct(app) as service:
            yield service

    @contextmanager
    def app(self, answering: Answering | None = None, rag: RagSettings | None = None) -> Iterator[FastAPI]:
        """The service's app."""
        settings = rag or RagSettings()
        with ExitStack() as stack:
            pool = open_pool(stack, threads=settings.max_concurrent, timeout_s=settings.timeout_s)
            yield rag_app(
                Service(answering or self.answering(), pool),
                settings,
                authenticator=self.issuer.authenticator(self.telemetry),
                ready=lambda: self.fault,
                warn=lambda: None,
                throttle=throttle_of_process(_UNLIMITED),
            )

    @contextmanager
    def client(
        self,
        answering: Answering | None = None,
        *,
        tenant: str = "acme",
        roles: Sequence[str] = (),
        user: str = "u-1",
        rag: RagSettings | None = None,
    ) -> Iterator[TestClient]:
        """A client of the service with a token of this tenant, user and roles."""
        headers = self.issuer.headers(self.tenant(tenant), *roles, user_id=user)
        with self.app(answering, rag) as app, TestClient(app, headers=headers, raise_server_exceptions=False) as client:
            yield client

    def metric(self, name: str, **labels: str) -> float:
        """The value of a metric; 0 if it has none."""
        return self.telemetry.registry.get_sample_value(name, labels) or 0.0


def events_of(text: str) -> list[tuple[str, dict[str, object]]]:
    """The events of a stream: name and data."""
    found = []
    for block in text.replace("\r\n", "\n").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and line[0] != ":")
        if "event" in fields:
            found.append((fields["event"], msgspec.json.decode(fields["data"])))
    return found
