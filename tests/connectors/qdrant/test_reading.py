"""The rounds of a search, and the excerpt of a passage."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.qdrant import reading, rounds
from connectors.qdrant.policy import VersionedIndex
from core.index import SearchQuery
from core.settings import IndexSettings
from tests.contracts.index_laws import nearest, opened, ticket, vector


@pytest.fixture
def index(tmp_path: Path) -> Iterator[VersionedIndex]:
    """An embedded index."""
    found = opened(IndexSettings(path=tmp_path / "index"))
    yield found
    found.close()


def test_a_search_that_ends_early_is_counted(index: VersionedIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that runs out of rounds returns its hits so far and calls `on_cut`."""
    monkeypatch.setattr(reading, "_MAX_ROUNDS", 2)
    monkeypatch.setattr(rounds, "_MIN_FETCH", 2)
    monkeypatch.setattr(rounds, "_MAX_FETCH", 2)
    cuts: list[int] = []
    index.on_cut = lambda: cuts.append(1)
    index.write([ticket(str(n), 1, 3, tenant="cut") for n in range(6)])
    assert len(nearest(index, SearchQuery(tenant_id="cut", limit=2), vector("q"))) == 2
    assert not cuts
    assert len(nearest(index, SearchQuery(tenant_id="cut", limit=6), vector("q"))) in {2, 3, 4}
    assert cuts == [1]


def test_a_passage_of_any_length_is_shown_in_part(index: VersionedIndex) -> None:
    """A passage that an earlier version stored whole is cut in an answer, and ends with an ellipsis."""
    index.write([ticket("1", 1, 1, tenant="long", text="x" * 900_000), ticket("2", 1, 1, tenant="long", text="short")])
    hits = nearest(index, SearchQuery(tenant_id="long"), vector("q"))
    assert {hit.passage for hit in hits} == {"x" * 4_096 + "…", "short"}
