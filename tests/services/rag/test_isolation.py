"""No tenant sees or affects another's data, whatever it sends. TICKETS_TEST_OPERATIONS sets the number of requests."""

import os
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any, Final

import msgspec
import pytest

from answers.chain import Chain
from answers.evidence import Evidence
from answers.key import answer_key
from core.errors import NoTicketError
from core.feedback import GivenAnswer
from core.index import SearchQuery
from runtime.searcher import IndexSearcher
from search.result import Answer
from tests.services.rag.isolation import TENANTS, Model
from tests.services.rag.world import RagWorld

_OPERATIONS: Final = int(os.environ.get("TICKETS_TEST_OPERATIONS", "600"))


@pytest.mark.timeout(0)
def test_no_operation_crosses_tenants(world: RagWorld) -> None:
    """In random operations of tenants with the same ticket ids, each tenant sees only its own current tickets."""
    with world.direct() as service:
        model = Model(world, service, Random(int(os.environ.get("TICKETS_TEST_SEED") or 7)))
        model.run(_OPERATIONS)
    hits = world.metric("tickets_answer_cache_total", outcome="hit")
    print(f"{sum(model.done.values())} operations, {len(model.leaks)} leaks: {dict(sorted(model.done.items()))}")
    print(f"{hits:.0f} answers from the cache")
    assert hits > _OPERATIONS / 100
    wanted = (
        "write, search 200, similar 200, similar 404, answer 200, answer 404, stream 200, feedback 204, feedback 404"
    )
    assert set(model.done) >= set(wanted.split(", "))
    voters = {one.answer.tenant_id for one in world.feedback.all()}
    assert voters <= {world.tenant(tenant) for tenant in TENANTS}


class _AnyTenant(IndexSearcher):
    """Searches the tenant with the most hits."""

    def __init__(self, world: RagWorld) -> None:
        super().__init__(index=world.index, embedder=world.embedder)
        self._tenants = [world.tenant(tenant) for tenant in TENANTS]

    def search(self, text: str, query: SearchQuery, *, plain: bool = False) -> Answer:
        asked = [msgspec.structs.replace(query, tenant_id=tenant) for tenant in self._tenants]
        found = [super(_AnyTenant, self).search(text, one, plain=plain) for one in asked]
        return max(found, key=lambda answer: len(answer.hits))


class _ShowsNotes(IndexSearcher):
    """Drops the filter on internal notes."""

    def __init__(self, world: RagWorld) -> None:
        super().__init__(index=world.index, embedder=world.embedder)

    def search(self, text: str, query: SearchQuery, *, plain: bool = False) -> Answer:
        return super().search(text, msgspec.structs.replace(query, public_only=False), plain=plain)


class _AnySimilar(IndexSearcher):
    """Looks a ticket up in every tenant."""

    def __init__(self, world: RagWorld) -> None:
        super().__init__(index=world.index, embedder=world.embedder)
        self._tenants = [world.tenant(tenant) for tenant in TENANTS]

    def similar(self, ticket_id: str, query: SearchQuery, *, plain: bool = False) -> Answer:
        found = Answer()
        for tenant in self._tenants:
            with suppress(NoTicketError):
                asked = msgspec.structs.replace(query, tenant_id=tenant)
                found = max(found, super().similar(ticket_id, asked, plain=plain), key=lambda one: len(one.hits))
        return found


def _share_the_cache(world: RagWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of a cached answer lacks the tenant."""
    del world
    monkeypatch.setattr("services.rag.answering.answer_key", lambda *a, **k: answer_key(*a, **{**k, "tenant_id": ""}))


def _forget_the_sources(world: RagWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of a cached answer lacks the sources."""
    del world
    none = Evidence(sources=(), confidence=0.0, model="")

    def careless(text: str, _evidence: Evidence, chain: Chain, **more: Any) -> str:
        return answer_key(text, none, chain, **more)

    monkeypatch.setattr("services.rag.answering.answer_key", careless)


def _share_the_answers(world: RagWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer is found by its id alone."""
    answer = world.feedback.answer

    def careless(_tenant_id: str, answer_id: str) -> GivenAnswer | None:
        found = (answer(world.tenant(tenant), answer_id) for tenant in TENANTS)
        return next((one for one in found if one is not None), None)

    monkeypatch.setattr(world.feedback, "answer", careless)


@pytest.mark.parametrize("searcher", [_AnyTenant, _ShowsNotes, _AnySimilar])
def test_the_check_finds_a_searcher_without_a_filter(
    world: RagWorld, searcher: Callable[[RagWorld], IndexSearcher]
) -> None:
    """The check fails on a searcher that drops the tenant or the filter on internal notes."""
    with world.direct(world.answering(searcher=searcher(world))) as service:
        model = Model(world, service, Random(1))
        with pytest.raises(AssertionError):
            model.run(300)


@pytest.mark.parametrize("mutate", [_share_the_cache, _forget_the_sources, _share_the_answers])
def test_the_check_finds_what_tenants_share(
    world: RagWorld, mutate: Callable[[RagWorld, pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check fails on a cache or an answer store whose keys lack the tenant or the sources."""
    mutate(world, monkeypatch)
    with world.direct() as service:
        model = Model(world, service, Random(1))
        with pytest.raises(AssertionError):
            model.run(300)
