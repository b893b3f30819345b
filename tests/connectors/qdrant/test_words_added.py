"""An index of an earlier version, without words, is extended in place; servers that can't search words are reported."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import qdrant_edge as edge
from qdrant_client import QdrantClient, models

from connectors.qdrant import folder
from connectors.qdrant.embedded import EdgeEngine
from connectors.qdrant.layout import VECTOR
from connectors.qdrant.lock import take_lock
from connectors.qdrant.open import open_reader
from connectors.qdrant.policy import VersionedIndex
from core.index import SearchQuery
from core.records import Point, TicketPoints
from core.settings import IndexSettings
from operators.terms import question_terms
from tests.contracts.index_laws import DIMENSION, MODEL, opened, ticket, vector
from tests.contracts.word_laws import by_words
from tests.rigs.qdrant_facade import QdrantFacade

_OLD_INDEXES = ("chunk", "head", "model", "state", "status", "tenant_id", "visibility")


def _without_terms(one: TicketPoints) -> TicketPoints:
    points = tuple(Point(point.id, point.vector, point.payload) for point in one.points)
    return TicketPoints(one.tenant_id, one.ticket_id, one.version, points)


@pytest.fixture(params=["embedded", "server"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[IndexSettings]:
    """Settings of an index as an earlier version made it, with one ticket."""
    if request.param == "embedded":
        path = tmp_path / "index"
        take_lock(path).release()
        folder._note(path, folder._Meta(DIMENSION, folder._LAYOUT))
        params = edge.EdgeVectorParams(size=DIMENSION, distance=edge.Distance.Cosine)
        shard = edge.EdgeShard.create(str(path / "shard"), edge.EdgeConfig(vectors={VECTOR: params}))
        for field in _OLD_INDEXES:
            kind = edge.IntegerIndexParams(lookup=True, range=False)
            shard.update(edge.UpdateOperation.create_field_index(field, kind))
        engine = EdgeEngine(shard, path=path / "shard", dimension=DIMENSION)
        VersionedIndex(engine).write([_without_terms(ticket("old", 1, 2, text="printer"))])
        engine.close()
        yield IndexSettings(path=path)
        return
    with QdrantFacade(tmp_path / "server") as facade:
        client = QdrantClient(port=1, grpc_port=facade.port, prefer_grpc=True, check_compatibility=False)
        params = models.VectorParams(size=DIMENSION, distance=models.Distance.COSINE)  # type: ignore[assignment]
        client.create_collection("tickets", vectors_config={VECTOR: params})  # type: ignore[dict-item]
        client.close()
        yield IndexSettings(url=facade.url)


def test_an_old_index_is_extended_in_place(old: IndexSettings, caplog: pytest.LogCaptureFixture) -> None:
    """Old tickets are found by meaning and new ones by words too, and the start logs in one line what is missing."""
    with caplog.at_level(logging.WARNING, "ticketstream.index"):
        index = opened(old)
    index.write([_without_terms(ticket("old", 1, 2, text="printer")), ticket("new", 1, 1, text="printer")])
    said = [record.message for record in caplog.records if "rebuild" in record.message]
    assert len(said) == (old.url is None)
    assert by_words(index, "printer").keys() == {("new", 0)}
    found = index.candidates(SearchQuery(tenant_id="acme"), vector("q"), question_terms("printer"))
    assert {one.ticket_id for one in found} == {"old", "new"}
    assert index.without_terms() == 2
    index.close()
    reader = open_reader(old, dimension=DIMENSION, model=MODEL)
    assert [one.ticket_id for one in reader.candidates(SearchQuery(tenant_id="acme"), None, question_terms("printer"))]
    reader.close()


def test_a_reader_of_an_old_index_finds_by_meaning(old: IndexSettings) -> None:
    """A reader changes nothing: words find nothing, and there is no error."""
    if old.url is not None:
        pytest.skip("the stamp is written by a worker, which extends the collection")
    reader = open_reader(old, dimension=DIMENSION, model=MODEL)
    assert reader.candidates(SearchQuery(tenant_id="acme"), None, question_terms("printer")) == []
    found = reader.candidates(SearchQuery(tenant_id="acme"), vector("q"), question_terms("printer"))
    assert {one.ticket_id for one in found} == {"old"}
    reader.close()


@pytest.mark.parametrize(("version", "said"), [("1.18.3", "use 1.19 or later"), ("1.17.0", "use 1.19 or later")])
def test_an_old_server_finds_by_meaning_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, version: str, said: str
) -> None:
    """A server that would count rarity over all tenants is not asked for words, and the start says so."""
    with QdrantFacade(tmp_path, version=version) as facade, caplog.at_level(logging.WARNING, "ticketstream.index"):
        index = opened(IndexSettings(url=facade.url))
        index.write([ticket("1", 1, 1, text="printer")])
        found = index.candidates(SearchQuery(tenant_id="acme"), vector("q"), question_terms("printer"))
        assert [(one.ticket_id, one.words) for one in found] == [("1", 0.0)]
        assert index.known("acme", question_terms("printer").indices.tolist()) == frozenset()
        assert [said in record.message for record in caplog.records] == [True]
        index.close()


def test_a_collection_that_cannot_be_extended_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """If a server can't add words to a collection, tickets are still written and found by meaning."""
    with QdrantFacade(tmp_path, version="1.17.0") as facade, caplog.at_level(logging.WARNING, "ticketstream.index"):
        client = QdrantClient(port=1, grpc_port=facade.port, prefer_grpc=True, check_compatibility=False)
        params = models.VectorParams(size=DIMENSION, distance=models.Distance.COSINE)
        client.create_collection("tickets", vectors_config={VECTOR: params})
        client.close()
        index = opened(IndexSettings(url=facade.url))
        index.write([ticket("1", 1, 1, text="printer")])
        assert index.candidates(SearchQuery(tenant_id="acme"), vector("q"), question_terms("printer"))
        assert ["can't add words" in record.message for record in caplog.records] == [True]
        index.close()
