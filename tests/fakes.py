"""Fakes of an index and of the dead-letter topic, and small records, for unit tests."""

from collections.abc import Callable, Iterator, Sequence
from random import Random

from core.index import (
    Candidate,
    Facts,
    IndexedTicket,
    IndexSize,
    LabelledVector,
    SearchQuery,
    Thread,
    ThreadPassage,
)
from core.provenance import Provenance
from core.records import Origin, PartitionReceipt, Receipt, Record, Rejected, SparseVector, TicketPoints, Vector
from core.settings import WriterSettings
from delivery.dependency import Dependency
from stream.dependencies import open_dependencies
from stream.progress import Progress
from stream.sinks import INDEX, SinkSpec
from stream.telemetry import StreamTelemetry


def record(
    offset: int = 0, *, value: bytes | None = b"{}", key: bytes | None = b"acme/1", partition: int = 0
) -> Record:
    """A record of tickets.raw."""
    return Record(Origin("tickets.raw", partition, offset), key, value, 1_700_000_000_000)


def points(ticket_id: str = "1", version: int = 1) -> TicketPoints:
    """A deleted ticket, which has no points."""
    return TicketPoints("acme", ticket_id, version, ())


def receipt(name: object = "") -> Receipt:
    """A receipt that is distinguished by `name`."""
    return Receipt((PartitionReceipt((str(name), 0), 0, ()),), 0, 0)


def dependencies(
    settings: WriterSettings,
    telemetry: StreamTelemetry,
    progress: Progress,
    sinks: Sequence[SinkSpec] = (INDEX,),
    lookups: Sequence[str] = (),
) -> dict[str, Dependency]:
    """The dependencies of a writer: `sinks`, the dead letters and `lookups`."""
    return open_dependencies(
        settings, sinks=sinks, lookups=lookups, telemetry=telemetry, progress=progress, rng=Random(1)
    )


class FakeIndex:
    """Keeps the newest version of each ticket. `fault` may return an error for the number of a write."""

    def __init__(self, fault: Callable[[int], Exception | None] = lambda _call: None) -> None:
        self.versions: dict[tuple[str, str], int] = {}
        self.provenance: Provenance | None = None
        self.calls = 0
        self._fault = fault

    def write(self, tickets: Sequence[TicketPoints]) -> None:
        self.calls += 1
        fault = self._fault(self.calls)
        if fault is not None:
            raise fault
        for ticket in tickets:
            key = (ticket.tenant_id, ticket.ticket_id)
            self.versions[key] = max(ticket.version, self.versions.get(key, -1))

    def candidates(self, query: SearchQuery, vector: Vector | None, terms: SparseVector | None) -> list[Candidate]:
        similarity = 0.0 if vector is None else float(vector[0])
        words = 0.0 if terms is None else float(terms.values.sum())
        return [
            Candidate(tenant, ticket, version, 0, "passage", Facts(), dict, similarity, words)
            for (tenant, ticket), version in self.versions.items()
            if tenant == query.tenant_id
        ][: query.limit]

    def known(self, tenant_id: str, term_ids: Sequence[int], *, public_only: bool = False) -> frozenset[int]:  # noqa: ARG002
        return frozenset(term_ids) if any(tenant == tenant_id for tenant, _ in self.versions) else frozenset()

    def thread(
        self,
        tenant_id: str,
        ticket_id: str,
        *,
        vectors: bool = False,  # noqa: ARG002
        public_only: bool = False,  # noqa: ARG002
    ) -> Thread | None:
        version = self.versions.get((tenant_id, ticket_id))
        passages = (ThreadPassage(0, "passage", {}),)
        return None if version is None else Thread(tenant_id, ticket_id, version, passages)

    def tickets(self) -> Iterator[IndexedTicket]:
        for (tenant, ticket), version in self.versions.items():
            yield IndexedTicket(tenant, ticket, version, 1, deleted=False)

    def labelled(self) -> Iterator[LabelledVector]:
        return iter(())

    def size(self) -> IndexSize:
        return IndexSize(len(self.versions), 0, len(self.versions))

    def overwrite(self, tickets: Sequence[TicketPoints]) -> None:
        self.write(tickets)

    def remove(self, tickets: Sequence[IndexedTicket]) -> None:
        for ticket in tickets:
            key = (ticket.tenant_id, ticket.ticket_id)
            if self.versions.get(key, -1) <= ticket.version:
                self.versions.pop(key, None)

    def origin(self) -> Provenance | None:
        return self.provenance

    def close(self) -> None:
        pass


class FakeDeadLetters:
    """Keeps the letters. `fault` as in `FakeIndex`."""

    def __init__(self, fault: Callable[[int], Exception | None] = lambda _call: None) -> None:
        self.letters: list[Rejected] = []
        self.calls = 0
        self._fault = fault

    def publish(self, rejected: Sequence[Rejected]) -> None:
        self.calls += 1
        fault = self._fault(self.calls)
        if fault is not None:
            raise fault
        self.letters += rejected
