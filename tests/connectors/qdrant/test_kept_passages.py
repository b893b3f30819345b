"""Passages that searches found are read once, and never shown as they were before a write."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import qdrant_edge as edge

from connectors.qdrant.embedded import EdgeEngine, EdgeReader, open_edge_engine
from connectors.qdrant.engine import AnyOf, EngineId, Retrieval
from connectors.qdrant.kept_passages import KeptPassages
from connectors.qdrant.policy import VersionedIndex
from tests.contracts.index_laws import DIMENSION, ticket, vector

_READ = EdgeReader._whole


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EdgeEngine]:
    """The engine of an index of three tickets with two passages each."""
    found = open_edge_engine(tmp_path, dimension=DIMENSION)
    VersionedIndex(found).write([ticket(str(n), 1, 2, text=f"first {n}") for n in range(3)])
    yield found
    found.close()


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of passages of each reading of the shard."""
    numbers: list[int] = []

    def whole(self: EdgeReader, ids: Sequence[EngineId]) -> list[edge.Record]:
        numbers.append(len(ids))
        return _READ(self, ids)

    monkeypatch.setattr(EdgeReader, "_whole", whole)
    return numbers


def _texts(engine: EdgeEngine, visibility: str | None = None) -> list[str]:
    conditions = [AnyOf("tenant_id", ("acme",))]
    conditions += [] if visibility is None else [AnyOf("visibility", (visibility,))]
    (found,) = engine.search([Retrieval(vector("wanted"), conditions, 10)])
    return sorted(one.row.text for one in found)


def test_a_passage_is_read_once_until_it_changes(engine: EdgeEngine, read: list[int]) -> None:
    """A write makes searches read the passages that it has changed, and no others."""
    first = _texts(engine)
    assert _texts(engine) == first == sorted(f"first {n}" for n in (0, 0, 1, 1, 2, 2))
    assert read == [6]
    VersionedIndex(engine).write([ticket("1", 2, 2, text="second 1")])
    assert _texts(engine) == sorted([*(f"first {n}" for n in (0, 0, 2, 2)), "second 1", "second 1"])
    assert read == [6, 2]


def test_a_passage_of_another_change_is_not_used(engine: EdgeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine's number of the last change tells a passage from its earlier text, also if none was dropped."""
    monkeypatch.setattr(KeptPassages, "drop", lambda _self, _ids: None)
    _texts(engine)
    VersionedIndex(engine).write([ticket("1", 2, 2, text="second 1")])
    assert _texts(engine).count("second 1") == 2


def test_a_search_that_a_write_overtakes_is_repeated(engine: EdgeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A passage that stops matching while it is read isn't shown: a public one may become an internal note."""

    def whole(self: EdgeReader, ids: Sequence[EngineId]) -> list[edge.Record]:
        monkeypatch.undo()
        VersionedIndex(engine).write([ticket("1", 2, 2, text="secret", visibility="internal")])
        return _READ(self, ids)

    monkeypatch.setattr(EdgeReader, "_whole", whole)
    assert _texts(engine, "public") == ["first 0", "first 0", "first 2", "first 2"]
    assert _texts(engine, "internal") == ["secret", "secret"]


def test_during_a_write_passages_are_read_with_their_scores(engine: EdgeEngine, read: list[int]) -> None:
    """Nothing that is kept is used while the shard may be changing."""
    with engine.exclusive():
        assert len(_texts(engine)) == 6
    assert read == []


def test_erased_texts_are_forgotten(engine: EdgeEngine) -> None:
    """A passage that is rewritten or erased doesn't stay in memory."""
    _texts(engine)
    kept = engine._kept
    assert len(kept._passages) == 6
    VersionedIndex(engine).write([ticket("1", 2, 0)])
    assert sorted(one.row.text for one in kept._passages.values()) == ["first 0", "first 0", "first 2", "first 2"]
    assert kept._size == sum(one.size for one in kept._passages.values())


def test_another_shard_starts_with_nothing(engine: EdgeEngine, tmp_path: Path) -> None:
    """Two shards may give one number to different changes."""
    _texts(engine)
    with engine.exclusive() as shard:
        engine.replace(shard, tmp_path / "shard")
    assert not engine._kept._passages


def test_memory_is_bounded(engine: EdgeEngine) -> None:
    """Passages that don't fit beside those kept take their place; those that never fit aren't kept."""
    engine._kept = KeptPassages(max_size=20_000)
    VersionedIndex(engine).write([ticket(str(n), 1, 2) for n in range(40)])
    sizes = []
    for number in range(40):
        engine.search([Retrieval(vector("acme", str(number), 1, 0), [AnyOf("tenant_id", ("acme",))], 4)])
        sizes.append(engine._kept._size)
    assert 10_000 < max(sizes) <= 20_000
    assert sizes != sorted(sizes)
    engine._kept = KeptPassages(max_size=10)
    assert len(_texts(engine)) == 10
    assert not engine._kept._passages
