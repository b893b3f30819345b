"""Each law of an index catches the fault it is there for, and each guard of the tenant is enough by itself."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.qdrant import policy
from connectors.qdrant.engine import Condition, Upsert
from connectors.qdrant.policy import VersionedIndex
from core.records import Point, TicketPoints, Vector
from core.settings import IndexSettings
from tests.contracts.index_laws import LAWS, opened, ticket


class _Mutant(VersionedIndex):
    """An index whose engine, or policy, does one thing wrong."""


class _PlainUpsert(_Mutant):
    def write(self, tickets: Sequence[TicketPoints]) -> None:
        for one in tickets:
            self.engine.write([Upsert(one.points, below=2**53)] if one.points else [])
        super().write(tickets)


class _HardDelete(_Mutant):
    def write(self, tickets: Sequence[TicketPoints]) -> None:
        for one in tickets:
            if one.points:
                super().write([one])
            else:  # forgets the version with the ticket
                head = ticket(one.ticket_id, 0, 1, tenant=one.tenant_id)
                tomb = Point(head.points[0].id, None, {**head.points[0].payload, "state": "deleted", "version": 0})
                self.engine.write([Upsert([tomb], below=2**53)])


class _NoClearing(_Mutant):
    def _clear(self, tickets: Sequence[TicketPoints]) -> None:
        """Leaves what is too much."""


class _NoHeadCheck(_Mutant):
    def _tickets_of(self, found: Any) -> Any:
        heads = [msgspec.structs.replace(p, payload={**p.payload, "chunk": 0}) for p in found]
        return super()._tickets_of(heads)


class _NoTenant(_Mutant):
    """Neither the engine's filter nor the second look."""

    def search(self, query: Any, vector: Vector) -> Any:
        engine, nearest = self.engine, self.engine.nearest

        def anybody(wanted: Vector, conditions: Sequence[Condition], limit: int) -> Any:
            return nearest(wanted, [c for c in conditions if c.field != "tenant_id"], limit)

        engine.nearest = anybody  # type: ignore[assignment,method-assign]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(policy, "_of_tenant", lambda found, _tenant: found)
            return super().search(query, vector)


class _ChunksAsTickets(_Mutant):
    def search(self, query: Any, vector: Vector) -> Any:
        found = self.engine.nearest(vector, [], query.limit)
        hits = self._tickets_of(found)
        return [hit for hit in hits if hit.tenant_id == query.tenant_id]


@pytest.mark.parametrize("kept", ["filter", "second look"])
def test_either_guard_of_the_tenant_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str) -> None:
    """The engine's filter alone, and the look at what it found alone, keep tenants apart."""
    index = opened(IndexSettings(path=tmp_path / "index"))
    nearest = index.engine.nearest
    try:
        if kept == "filter":
            monkeypatch.setattr(policy, "_of_tenant", lambda found, _tenant: found)
        else:
            monkeypatch.setattr(index.engine, "nearest", lambda wanted, _conditions, limit: nearest(wanted, [], limit))
        next(found for found in LAWS if found.__name__ == "tenants_are_apart")(index)
    finally:
        index.close()


@pytest.mark.parametrize(
    ("mutant", "law"),
    [
        (_PlainUpsert, "highest_version_wins"),
        (_HardDelete, "deleted_stays_deleted"),
        (_NoClearing, "shorter_version_leaves_nothing"),
        (_NoClearing, "order_of_writers_does_not_matter"),
        (_NoHeadCheck, "half_a_write_is_not_shown"),
        (_NoTenant, "tenants_are_apart"),
        (_ChunksAsTickets, "results_are_tickets"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_law_catches_the_fault_it_is_there_for(tmp_path: Path, mutant: type[_Mutant], law: str) -> None:
    """A law that no broken index fails would prove nothing."""
    sound = opened(IndexSettings(path=tmp_path / "index"))
    try:
        with pytest.raises(AssertionError):
            next(found for found in LAWS if found.__name__ == law)(mutant(sound.engine))
    finally:
        sound.close()
