"""Stand-ins for the outside world, for unit tests only: small, honest about order and failure."""

from collections.abc import Callable, Iterator, Sequence
from random import Random

from core.records import (
    IndexedTicket,
    IndexSize,
    Origin,
    Record,
    Rejected,
    SearchHit,
    SearchQuery,
    TicketPoints,
    Vector,
)
from core.settings import WriterSettings
from delivery.target import Target
from worker.outages import open_targets
from worker.progress import Progress
from worker.telemetry import Telemetry
from worker.writer import LETTERS


def record(
    offset: int = 0, *, value: bytes | None = b"{}", key: bytes | None = b"acme/1", partition: int = 0
) -> Record:
    """A record of tickets.raw."""
    return Record(Origin("tickets.raw", partition, offset), key, value, 1_700_000_000_000)


def points(ticket_id: str = "1", version: int = 1) -> TicketPoints:
    """A deleted ticket: the smallest thing an index takes."""
    return TicketPoints("acme", ticket_id, version, ())


def targets(
    settings: WriterSettings, telemetry: Telemetry, progress: Progress, names: Sequence[str] = ("index",)
) -> dict[str, Target]:
    """What a writer insists on: `names`, and the dead letters."""
    return open_targets(settings, [*names, LETTERS], telemetry=telemetry, progress=progress, rng=Random(1))


class FakeIndex:
    """Keeps the newest version of each ticket; `fault` is asked before every write and raises what it returns."""

    def __init__(self, fault: Callable[[int], Exception | None] = lambda _call: None) -> None:
        self.versions: dict[tuple[str, str], int] = {}
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

    def search(self, query: SearchQuery, vector: Vector) -> list[SearchHit]:
        return [
            SearchHit(tenant, ticket, version, float(vector[0]), "passage", {})
            for (tenant, ticket), version in self.versions.items()
            if tenant == query.tenant_id
        ][: query.limit]

    def tickets(self) -> Iterator[IndexedTicket]:
        for (tenant, ticket), version in self.versions.items():
            yield IndexedTicket(tenant, ticket, version, 1, deleted=False)

    def size(self) -> IndexSize:
        return IndexSize(len(self.versions), 0)

    def close(self) -> None:
        pass


class FakeDeadLetters:
    """Keeps what it is given; `fault` as above."""

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
