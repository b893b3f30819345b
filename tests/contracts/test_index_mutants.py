"""Each law of an index fails on a mutant that breaks it, and each of the two tenant checks is enough by itself."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

from connectors.qdrant import reading, rounds
from connectors.qdrant.engine import AnyOf, Condition, Engine, FoundPassage, PointKey, Retrieval, Stored, Upsert
from connectors.qdrant.layout import STATE_FIELDS
from connectors.qdrant.policy import VersionedIndex
from core.index import Candidate, IndexedTicket, LabelledVector, SearchQuery, Thread
from core.records import Point, SparseVector, TicketPoints, Vector
from core.settings import IndexSettings
from tests.contracts import repair_laws, word_laws
from tests.contracts.index_laws import LAWS, opened, ticket


def _change(engine: Engine, change: Callable[[Retrieval], Retrieval]) -> None:
    """Change each retrieval before the engine sees it."""
    search = engine.search
    engine.search = lambda retrievals: search([change(one) for one in retrievals])  # type: ignore[method-assign]


def _without_tenant(conditions: Sequence[Condition]) -> list[Condition]:
    return [one for one in conditions if not (isinstance(one, AnyOf) and one.field == "tenant_id")]


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
    def _current(
        self, found: Sequence[FoundPassage], heads: reading._Heads
    ) -> tuple[list[FoundPassage], dict[str, int]]:
        as_heads = [msgspec.structs.replace(p, row=msgspec.structs.replace(p.row, chunk=0)) for p in found]
        return super()._current(as_heads, heads)


class _NoTenant(_Mutant):
    """Has neither the engine's filter nor the check of what it found."""

    def candidates(self, query: SearchQuery, vector: Vector | None, terms: SparseVector | None) -> list[Candidate]:
        _change(self.engine, lambda one: msgspec.structs.replace(one, conditions=_without_tenant(one.conditions)))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reading, "_of_tenant", lambda found, _tenant: found)
            return super().candidates(query, vector, terms)


class _FindsThemAgain(_Mutant):
    """Doesn't exclude the tickets that an earlier round found."""

    def candidates(self, query: SearchQuery, vector: Vector | None, terms: SparseVector | None) -> list[Candidate]:
        _change(self.engine, lambda one: msgspec.structs.replace(one, unless=()))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rounds, "_MAX_FETCH", 256)
            return super().candidates(query, vector, terms)


class _LooksOnce(_Mutant):
    """Drops tickets of which only another version's chunks were found."""

    def _current(
        self, found: Sequence[FoundPassage], heads: reading._Heads
    ) -> tuple[list[FoundPassage], dict[str, int]]:
        return super()._current(found, heads)[0], {}


class _RemembersHeads(_Mutant):
    """Reads the version of no head a second time."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        lookup, known = engine.lookup, dict[str, Stored]()

        def remembering(ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Stored]:
            if fields != STATE_FIELDS:
                return lookup(ids, fields)
            known.update(lookup([one for one in ids if one not in known], fields))
            return {one: known[one] for one in ids if one in known}

        engine.lookup = remembering  # type: ignore[method-assign]


class _Buries(_Mutant):
    """Leaves a tombstone of the next version."""

    def remove(self, tickets: Sequence[IndexedTicket]) -> None:
        self.write([TicketPoints(one.tenant_id, one.ticket_id, one.version + 1, ()) for one in tickets])


class _RemovesWhateverIsThere(_Mutant):
    def remove(self, tickets: Sequence[IndexedTicket]) -> None:
        super().remove([msgspec.structs.replace(one, version=2**53 - 2) for one in tickets])


class _RemovesFirst(_Mutant):
    """Removes a ticket before it writes the one of the same version."""

    def overwrite(self, tickets: Sequence[TicketPoints]) -> None:
        self.remove([IndexedTicket(one.tenant_id, one.ticket_id, one.version, 0, deleted=False) for one in tickets])
        self.write(tickets)


class _KeepsEqualVersions(_Mutant):
    def overwrite(self, tickets: Sequence[TicketPoints]) -> None:
        self.write(tickets)


class _ChunksAsTickets(_Mutant):
    """Counts passages as tickets."""

    def candidates(self, query: SearchQuery, vector: Vector | None, terms: SparseVector | None) -> list[Candidate]:
        found = super().candidates(query, vector, terms)
        return sorted(found, key=lambda one: -one.similarity)[: query.limit]


class _RarityOfAll(_Mutant):
    """Counts a term's rarity among all tenants' passages."""

    def candidates(self, query: SearchQuery, vector: Vector | None, terms: SparseVector | None) -> list[Candidate]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rounds, "corpus_of", lambda _query: [])
            patch.setattr(reading, "corpus_of", lambda _query: [])
            return super().candidates(query, vector, terms)


class _OneScoreEach(_Mutant):
    """Gives a candidate the score of the retrieval that found it only."""

    def _scores(
        self,
        query: SearchQuery,
        wanted: Sequence[Vector | SparseVector | None],
        others: Sequence[Sequence[FoundPassage]],
    ) -> list[Mapping[PointKey, float]]:
        return super()._scores(query, wanted, [points[:0] for points in others])


class _KnowsAll(_Mutant):
    """Counts other tenants' terms as known."""

    def known(self, tenant_id: str, term_ids: Sequence[int], *, public_only: bool = False) -> frozenset[int]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reading, "filters_of", lambda _query: ([], []))
            patch.setattr(reading, "_of_tenant", lambda found, _tenant: found)
            return super().known(tenant_id, term_ids, public_only=public_only)


class _AnyVersion(_Mutant):
    """Returns threads with the passages of every version."""

    def thread(
        self, tenant_id: str, ticket_id: str, *, vectors: bool = False, public_only: bool = False
    ) -> Thread | None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reading, "Between", lambda *_bounds: AnyOf("state", ("live",)))
            return super().thread(tenant_id, ticket_id, vectors=vectors, public_only=public_only)


class _NotesToo(_Mutant):
    """Shows internal notes in public threads."""

    def candidates(self, query: SearchQuery, vector: Vector | None, terms: SparseVector | None) -> list[Candidate]:
        return super().candidates(msgspec.structs.replace(query, public_only=False), vector, terms)

    def known(self, tenant_id: str, term_ids: Sequence[int], *, public_only: bool = False) -> frozenset[int]:
        del public_only
        return super().known(tenant_id, term_ids)

    def thread(
        self, tenant_id: str, ticket_id: str, *, vectors: bool = False, public_only: bool = False
    ) -> Thread | None:
        del public_only
        return super().thread(tenant_id, ticket_id, vectors=vectors)


class _LearnsFromItself(_Mutant):
    """Lists labels that the worker chose, too."""

    def labelled(self) -> Iterator[LabelledVector]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reading, "given_label", lambda payload, kind: payload.get(kind))
            yield from super().labelled()


@pytest.mark.parametrize("kept", ["filter", "check"])
def test_either_tenant_check_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str) -> None:
    """The engine's filter alone, or the check of what it found alone, keeps tenants apart."""
    index = opened(IndexSettings(path=tmp_path / "index"))
    try:
        if kept == "filter":
            monkeypatch.setattr(reading, "_of_tenant", lambda found, _tenant: found)
        else:
            _change(index.engine, lambda one: msgspec.structs.replace(one, conditions=[]))
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
        (_LearnsFromItself, "only_producers_labels_are_learnt_from"),
        (_LooksOnce, "a_ticket_that_is_being_rewritten_is_found"),
        (_RemembersHeads, "a_rewritten_ticket_is_found_by_any_passage"),
        (_RarityOfAll, "rarity_is_the_tenants_own"),
        (_OneScoreEach, "an_identifier_finds_its_passage"),
        (_NoHeadCheck, "words_of_other_versions_find_nothing"),
        (_KnowsAll, "known_terms_are_the_tenants_own"),
        (_AnyVersion, "a_thread_is_the_current_version"),
        (_NotesToo, "filters_filter"),
        (_NotesToo, "rarity_is_the_tenants_own"),
        (_NotesToo, "known_terms_are_the_tenants_own"),
        (_NotesToo, "a_public_thread_has_no_notes"),
        (_Buries, "a_removed_ticket_leaves_no_trace"),
        (_RemovesWhateverIsThere, "a_newer_version_is_not_removed"),
        (_RemovesFirst, "a_ticket_that_is_overwritten_is_never_missing"),
        (_KeepsEqualVersions, "an_equal_version_is_overwritten"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_each_law_catches_a_mutant(tmp_path: Path, mutant: type[_Mutant], law: str) -> None:
    """The law fails on the mutant that breaks it."""
    sound = opened(IndexSettings(path=tmp_path / "index"))
    try:
        with pytest.raises(AssertionError):
            next(one for one in (*LAWS, *repair_laws.LAWS, *word_laws.LAWS) if one.__name__ == law)(
                mutant(sound.engine)
            )
    finally:
        sound.close()
