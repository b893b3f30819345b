"""The provenance in an index, in both engines and with several writers; searches and lists don't show it."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from connectors.qdrant.open import open_index_for_writing, open_reader
from connectors.qdrant.policy import VersionedIndex
from connectors.qdrant.provenance import ProvenanceStore
from core.errors import ConfigError
from core.index import IndexSize
from core.provenance import LogIdentity, Progress, Provenance
from core.settings import IndexSettings
from tests.contracts.digest import contents
from tests.contracts.index_laws import DIMENSION, MODEL, held, opened, search, ticket, vector
from tests.rigs.qdrant_facade import QdrantFacade

_LOG = LogIdentity("tickets.raw", "cluster-1", "topic-1")


@pytest.fixture(params=["embedded", "facade"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[IndexSettings]:
    """Settings of an index of the test's own, in either engine."""
    if request.param == "embedded":
        yield IndexSettings(path=tmp_path / "index")
    else:
        with QdrantFacade(tmp_path / "server") as facade:
            yield IndexSettings(url=facade.url)


@pytest.fixture
def index(settings: IndexSettings) -> Iterator[VersionedIndex]:
    """The index, open for writing."""
    found = opened(settings)
    yield found
    found.close()


def _read(index: VersionedIndex) -> Provenance:
    found = index.origin()
    assert found is not None
    return found


def test_a_new_index_has_an_id_and_its_models_stamp(settings: IndexSettings) -> None:
    """The id and the stamp are written when the index is created, and stay when it is opened again."""
    first = opened(settings)
    before = _read(first)
    first.close()
    again = opened(settings)
    assert (before.model, before.adopted, before.finished) == (MODEL, False, True)
    assert _read(again) == before
    again.close()


def test_positions_settings_and_log_are_kept(settings: IndexSettings) -> None:
    """What is noted is read back by a reader of the closed index."""
    index = opened(settings)
    index.store.note_log(_LOG)
    index.store.note_settings({"TICKETS_KAFKA__GROUP": "a"})
    index.store.note_settings({"TICKETS_KAFKA__GROUP": "b"})
    index.store.advance(_LOG, {0: (0, 10), 3: (0, 2**40)})
    index.store.note_until(_LOG, {0: 15})
    index.close()
    reader = open_reader(settings, dimension=DIMENSION, model=MODEL)
    found = reader.origin()
    reader.close()
    assert found is not None
    assert found.logs == (Progress(_LOG, {0: 10, 3: 2**40}, {0: 15}),)
    assert (found.settings, found.missing) == ({"TICKETS_KAFKA__GROUP": "b"}, 5)


def test_a_position_never_decreases(index: VersionedIndex) -> None:
    """A lower position is ignored, as is one that builds on a position that the index doesn't have."""
    index.store.note_log(_LOG)
    index.store.advance(_LOG, {0: (0, 10)})
    index.store.advance(_LOG, {0: (0, 7)})
    assert _read(index).of(_LOG).positions == {0: 10}
    index.store.advance(_LOG, {0: (20, 30)})
    assert _read(index).of(_LOG).positions == {0: 10}, "a copy that was restored meanwhile is not written over"


def test_positions_of_another_log_do_not_count(index: VersionedIndex) -> None:
    """A topic that was created again begins without positions."""
    index.store.note_log(_LOG)
    index.store.advance(_LOG, {0: (0, 10)})
    index.store.note_until(_LOG, {0: 20})
    again = LogIdentity("tickets.raw", "cluster-1", "topic-2")
    index.store.note_log(again)
    assert _read(index).logs == (Progress(again),)


def test_an_index_may_hold_two_logs(index: VersionedIndex) -> None:
    """Each topic has its own positions."""
    enriched = LogIdentity("tickets.enriched", "cluster-1", "topic-3")
    for log, offset in ((_LOG, 10), (enriched, 4)):
        index.store.note_log(log)
        index.store.advance(log, {0: (0, offset)})
        index.store.note_until(log, {0: 12})
    assert _read(index).logs == (Progress(enriched, {0: 4}, {0: 12}), Progress(_LOG, {0: 10}, {0: 12}))
    assert _read(index).missing == 10


def test_a_rebuilt_index_is_unfinished_until_it_is_finished(tmp_path: Path) -> None:
    """The mark of a rebuild stays until its end, and is not set by opening the index again."""
    settings = IndexSettings(path=tmp_path / "index")
    index = open_index_for_writing(settings, dimension=DIMENSION, model=MODEL, replaces="old")
    found = _read(index)
    assert (found.finished, found.replaces) == (False, "old")
    index.store.finish()
    index.close()
    again = opened(settings)
    assert _read(again).finished
    again.close()


def test_provenance_is_no_ticket(index: VersionedIndex) -> None:
    """No list, count, search or digest shows the points that hold it."""
    index.write([ticket("1", 1, 2), ticket("2", 1, 0)])
    index.store.note_log(_LOG)
    index.store.advance(_LOG, dict.fromkeys(range(12), (0, 5)))
    assert held(index) == {("acme", "1"): (1, False), ("acme", "2"): (1, True)}
    assert index.size() == IndexSize(3, 1, 1)
    assert search(index, vector("acme", "1", 1, 0)) == [("acme", "1", 1)]
    assert len(contents(index)) == 3
    assert index.other_model(MODEL) is None


def test_an_index_of_an_earlier_version_is_adopted(settings: IndexSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that has tickets and no provenance gets one that says so; one without tickets is new."""
    with monkeypatch.context() as old:
        old.setattr(ProvenanceStore, "create", lambda *_args, **_more: None)
        index = opened(settings)
        index.write([ticket("1", 1, 1)])
        assert index.origin() is None
        index.close()
    index = opened(settings)
    assert _read(index).adopted
    index.close()


def _open_at_once(settings: IndexSettings, models: list[str]) -> list[str]:
    """Open an empty index for each of `models` at the same time. Returns those that were not refused."""
    accepted: list[str] = []
    together = threading.Barrier(len(models))

    def start(model: str) -> None:
        together.wait()
        with suppress(ConfigError):
            index = open_index_for_writing(settings, dimension=DIMENSION, model=model)
            accepted.append(model)
            index.close()

    threads = [threading.Thread(target=start, args=(model,)) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return accepted


@pytest.mark.parametrize("attempt", range(3))
def test_two_models_cannot_share_an_empty_index(tmp_path: Path, attempt: int) -> None:
    """Of workers that join an empty collection at once, only those of one model are let in, before any writes."""
    del attempt
    with QdrantFacade(tmp_path / "server") as facade:
        settings = IndexSettings(url=facade.url)
        accepted = _open_at_once(settings, ["model/int8", "model/fp32"] * 3)
        assert len({*accepted}) == 1
        assert len(accepted) == 3
        with pytest.raises(ConfigError, match=rf"holds vectors of {accepted[0]}, but the model is model/other"):
            open_index_for_writing(settings, dimension=DIMENSION, model="model/other")


def test_a_stamp_that_the_last_writer_sets_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant that takes an index without points for nobody's lets two models in."""
    monkeypatch.setattr(ProvenanceStore, "create", lambda *_args, **_more: None)
    with pytest.raises(AssertionError):
        test_two_models_cannot_share_an_empty_index(tmp_path, 0)
