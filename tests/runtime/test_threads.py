"""Threads of tickets, from an index directly and through a worker's control port."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.qdrant.lock import Owner
from connectors.qdrant.policy import VersionedIndex
from core.errors import ConfigError, OtherModelError
from core.index import MAX_THREADS, SearchQuery
from core.provenance import Provenance
from core.settings import IndexSettings
from models.run.hashing import HashingEmbedder
from runtime.control import ThreadsAnswer, WorkerClient
from runtime.searcher import IndexSearcher, Searcher
from stream.control import control_app
from tests.contracts.index_laws import MODEL, opened, ticket
from tests.fakes import FakeIndex
from tests.runtime.test_http import serving
from tests.search.fake_index import TENANT, FakePassages


class _Embedder(HashingEmbedder):
    stamp = MODEL


class _Passages(FakePassages, FakeIndex):
    """A complete fake index reader that also finds passages."""

    def __init__(self, embedder: HashingEmbedder) -> None:
        FakeIndex.__init__(self)
        FakePassages.__init__(self, embedder)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[VersionedIndex]:
    """An index with a public ticket, an internal one and another tenant's."""
    found = opened(IndexSettings(path=tmp_path / "index"))
    found.write([ticket("1", 2, 3), ticket("2", 1, 1, visibility="internal"), ticket("3", 1, 0)])
    found.write([ticket("1", 9, 1, tenant="other")])
    yield found
    found.close()


@pytest.fixture(params=["index", "worker"])
def searcher(request: pytest.FixtureRequest, index: VersionedIndex) -> Iterator[Searcher]:
    """A searcher of the index itself, and one that asks its worker."""
    own = IndexSearcher(index=index, embedder=_Embedder())
    if request.param == "index":
        yield own
        return
    app = control_app(
        token="right",
        search=lambda asked: own.search(asked.text, asked.query),
        similar=lambda asked: own.similar(asked.ticket_id, asked.query),
        threads=lambda asked: ThreadsAnswer(
            own.threads(asked.tenant_id, asked.ticket_ids, public_only=asked.public_only)
        ),
        status=own.status,
        back_up=lambda _folder: pytest.fail("backed up"),
    )
    with serving(app) as url:
        yield WorkerClient(Owner(7, url, "right"), timeout_s=30)


def test_threads_are_those_of_the_tenant_in_the_order_asked(searcher: Searcher) -> None:
    """Unknown, deleted and other tenants' tickets are left out, and a repeated id gives one thread."""
    found = searcher.threads("acme", ["3", "2", "missing", "1", "2"])
    assert [(one.tenant_id, one.ticket_id, one.version) for one in found] == [("acme", "2", 1), ("acme", "1", 2)]
    assert [passage.passage for passage in found[1].passages] == [f"1 v2 chunk {n}" for n in range(3)]
    assert found[1].passages[0].payload["model"] == MODEL
    assert [one.version for one in searcher.threads("other", ["1", "2"])] == [9]
    assert searcher.threads("acme", []) == ()


def test_public_threads_have_no_internal_notes(searcher: Searcher) -> None:
    """With `public_only` internal passages are left out of a thread."""
    found = searcher.threads("acme", ["1", "2"], public_only=True)
    assert [(one.ticket_id, len(one.passages)) for one in found] == [("1", 3), ("2", 0)]


def test_too_many_threads_at_once_are_refused(searcher: Searcher) -> None:
    """The error names the bound, and the index is not read."""
    with pytest.raises(ConfigError, match="51 threads are more than the 50 allowed"):
        searcher.threads("acme", [str(n) for n in range(MAX_THREADS + 1)])
    with pytest.raises(ConfigError, match="not valid Unicode"):
        searcher.threads("acme", ["\udcff"])


def test_an_index_of_another_model_is_noticed() -> None:
    """If an index now has another model's vectors, searches and threads are refused."""
    index, now = FakeIndex(), [0.0]
    searcher = IndexSearcher(index=index, embedder=HashingEmbedder(), clock=lambda: now[0])
    assert searcher.search("why", SearchQuery(tenant_id="acme")).model == HashingEmbedder.stamp
    index.provenance, now[0] = Provenance(index="2", model="other/1", created_ms=0), 1.0
    with pytest.raises(OtherModelError, match="now holds vectors of other/1"):
        searcher.search("why", SearchQuery(tenant_id="acme"))
    with pytest.raises(OtherModelError):
        searcher.threads("acme", ["1"])


def test_hits_of_another_model_are_not_answered() -> None:
    """The hits' own stamps are compared, as an alias may be switched after the provenance was read."""
    embedder = HashingEmbedder()
    index = _Passages(embedder)
    index.add("1", "the printer is on fire", model="other/1")
    searcher = IndexSearcher(index=index, embedder=embedder)
    with pytest.raises(OtherModelError, match="other/1"):
        searcher.search("printer on fire", SearchQuery(tenant_id=TENANT))
