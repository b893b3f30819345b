"""Each law of an index fails on a mutant that breaks it, and each of the two tenant checks is enough by itself."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from connectors.qdrant import reading
from connectors.qdrant.engine import AnyOf, Condition, Found, Upsert
from connectors.qdrant.policy import VersionedIndex
from core.index import SearchHit, SearchQuery
from core.records import Point, TicketPoints, Vector
from core.settings import IndexSettings
from tests.contracts.index_laws import LAWS, opened, ticket


class _Mutant(VersionedIndex):
    """An index with one fault."""


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
            else:  # the deleted version is lost with the points
                head = ticket(one.ticket_id, 0, 1, tenant=one.tenant_id)
                tomb = Point(head.points[0].id, None, {**head.points[0].payload, "state": "deleted", "version": 0})
                self.engine.write([Upsert([tomb], below=2**53)])


class _NoClearing(_Mutant):
    def _clear(self, tickets: Sequence[TicketPoints]) -> None:
        """Keeps stale chunks."""


class _NoHeadCheck(_Mutant):
    def _tickets_of(self, found: Sequence[Found]) -> tuple[list[SearchHit], dict[str, int]]:
        heads = [msgspec.structs.replace(p, payload={**p.payload, "chunk": 0}) for p in found]
        return super()._tickets_of(heads)


class _NoTenant(_Mutant):
    """Has neither the engine's filter nor the check of what it found."""

    def search(self, query: SearchQuery, vector: Vector) -> list[SearchHit]:
        engine, nearest = self.engine, self.engine.nearest

        def of_all_tenants(
            wanted: Vector, conditions: Sequence[Condition], limit: int, unless: Sequence[Condition] = ()
        ) -> Sequence[Found]:
            others = [c for c in conditions if not (isinstance(c, AnyOf) and c.field == "tenant_id")]
            return nearest(wanted, others, limit, unless)

        engine.nearest = of_all_tenants  # type: ignore[assignment,method-assign]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reading, "_of_tenant", lambda found, _tenant: found)
            return super().search(query, vector)


class _FindsThemAgain(_Mutant):
    """Doesn't exclude the tickets that an earlier round found."""

    def search(self, query: SearchQuery, vector: Vector) -> list[SearchHit]:
        nearest = self.engine.nearest

        def among_all(
            wanted: Vector, conditions: Sequence[Condition], limit: int, _unless: Sequence[Condition] = ()
        ) -> Sequence[Found]:
            return nearest(wanted, conditions, limit)

        self.engine.nearest = among_all  # type: ignore[assignment,method-assign]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reading, "_MAX_FETCH", 256)
            return super().search(query, vector)


class _LooksOnce(_Mutant):
    """Drops tickets of which only another version's chunks were found."""

    def _tickets_of(self, found: Sequence[Found]) -> tuple[list[SearchHit], dict[str, int]]:
        return super()._tickets_of(found)[0], {}


class _ChunksAsTickets(_Mutant):
    def search(self, query: SearchQuery, vector: Vector) -> list[SearchHit]:
        found = self.engine.nearest(vector, [], query.limit)
        hits, _rewritten = self._tickets_of(found)
        return [hit for hit in hits if hit.tenant_id == query.tenant_id]


@pytest.mark.parametrize("kept", ["filter", "check"])
def test_either_tenant_check_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str) -> None:
    """The engine's filter alone, or the check of what it found alone, keeps tenants apart."""
    index = opened(IndexSettings(path=tmp_path / "index"))
    nearest = index.engine.nearest
    try:
        if kept == "filter":
            monkeypatch.setattr(reading, "_of_tenant", lambda found, _tenant: found)
        else:
            monkeypatch.setattr(
                index.engine,
                "nearest",
                lambda wanted, _conditions, limit, unless=(): nearest(wanted, [], limit, unless),
            )
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
        (_FindsThemAgain, "a_flood_hides_no_ticket"),
        (_LooksOnce, "a_ticket_that_is_being_rewritten_is_found"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_each_law_catches_a_mutant(tmp_path: Path, mutant: type[_Mutant], law: str) -> None:
    """The law fails on the mutant that breaks it."""
    sound = opened(IndexSettings(path=tmp_path / "index"))
    try:
        with pytest.raises(AssertionError):
            next(found for found in LAWS if found.__name__ == law)(mutant(sound.engine))
    finally:
        sound.close()
