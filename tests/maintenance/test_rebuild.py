"""A rebuilt index is complete before it answers, and has everything written to the old one meanwhile."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict

import pytest

from connectors.qdrant import replacement
from connectors.qdrant.lock import take_lock
from connectors.qdrant.open import open_index_for_writing
from connectors.qdrant.policy import VersionedIndex
from connectors.qdrant.replacement import NewCollection, open_replacement
from core.errors import ConfigError
from core.model_settings import ModelSettings
from core.protocols import Index
from core.records import Record
from core.settings import IndexSettings, Settings
from maintenance.rebuild import catch_up, index_new, write_latest
from maintenance.reindexer import Reindexer
from models.run.hashing import HashingEmbedder
from stream.plan import ticket_steps
from tests.contracts.digest import digest
from tests.maintenance.test_reconcile import FakeLog, event, fold
from tests.rigs.qdrant_facade import QdrantFacade

_EMBEDDER = HashingEmbedder()


class _Vectors(TypedDict):
    dimension: int
    model: str


_VECTORS: _Vectors = {"dimension": _EMBEDDER.dimension, "model": _EMBEDDER.stamp}
_SETTINGS = Settings(model=ModelSettings(name="hashing"))


class _Topic(FakeLog):
    """A log that grows."""

    def append(self, record: Record) -> None:
        self._records.append(record)


def _topic() -> _Topic:
    edits = [event(n, f"T-{n % 40}", n) for n in range(100)]
    return _Topic([*edits, event(100, "T-1", 200, op="delete"), event(101, "T-2", 1)], 0)


def _reindexer(index: Index) -> Reindexer:
    return Reindexer(steps=ticket_steps(_SETTINGS, _EMBEDDER), index=index, settings=_SETTINGS.writer)


@contextmanager
def _opened(settings: IndexSettings) -> Iterator[VersionedIndex]:
    index = open_index_for_writing(settings, **_VECTORS)
    try:
        yield index
    finally:
        index.close()


def _write(settings: IndexSettings, records: Sequence[Record]) -> None:
    """Write `records` as a worker would."""
    with _opened(settings) as index:
        _reindexer(index).index_records(records)


def _digest(settings: IndexSettings) -> str:
    with _opened(settings) as index:
        return digest(index)


def _live(settings: IndexSettings) -> int:
    with _opened(settings) as index:
        return sum(not ticket.deleted for ticket in index.tickets())


@pytest.fixture
def server(tmp_path: Path) -> Iterator[IndexSettings]:
    """An alias of a collection that holds the log."""
    with QdrantFacade(tmp_path / "qdrant") as facade:
        settings = IndexSettings(url=facade.url, collection="live")
        first = open_replacement(settings, **_VECTORS)
        first.switch(follow=lambda: None, wait=_never)
        first.close()
        _write(settings, list(_topic().records()))
        yield settings


def _never() -> None:
    raise AssertionError("no worker to wait for")


def _rebuilt(
    settings: IndexSettings,
    log: _Topic,
    *,
    while_filling: Callable[[], None] = lambda: None,
    before_the_switch: Callable[[], None] = lambda: None,
) -> None:
    """Rebuild the index as the command does."""

    def watched(records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            if record.origin.offset == 50:
                while_filling()
            yield record

    new, found = open_replacement(settings, **_VECTORS), fold()
    reindexer = _reindexer(new.index)
    write_latest(found, log, reindexer, writing=watched)
    catch_up(found, log, reindexer)
    before_the_switch()
    new.switch(follow=lambda: index_new(found, log, reindexer), wait=_never)
    new.close()


def test_a_rebuilt_folder_replaces_the_old_one(tmp_path: Path) -> None:
    """The new folder has the digest of the old one, whose points are deleted, and opens as before."""
    settings, log = IndexSettings(path=tmp_path / "index"), _topic()
    _write(settings, list(log.records()))
    before = _digest(settings)
    for _ in range(2):
        _rebuilt(settings, log)
        assert _digest(settings) == before
        assert len(list(settings.path.glob("shard*"))) == 1
        assert not (settings.path / "rebuild").exists()


def test_a_folder_in_use_waits_for_its_worker(tmp_path: Path) -> None:
    """The old index answers until its worker ends, and the new one has everything written meanwhile."""
    settings, log = IndexSettings(path=tmp_path / "index"), _topic()
    _write(settings, list(log.records()))
    worker = open_index_for_writing(settings, **_VECTORS)
    new, found = open_replacement(settings, **_VECTORS), fold()
    reindexer = _reindexer(new.index)
    write_latest(found, log, reindexer)
    late = event(102, "late", 1)

    def wait() -> None:
        assert sum(not ticket.deleted for ticket in worker.tickets()) == 39
        log.append(late)
        _reindexer(worker).index_records([late])
        worker.close()

    new.switch(follow=lambda: index_new(found, log, reindexer), wait=wait)
    assert _live(settings) == 40


def test_a_rebuild_waits_for_a_worker_that_restarts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that a supervisor starts just before the switch delays the rebuild, and does not fail it."""
    settings, log = IndexSettings(path=tmp_path / "index"), _topic()
    new = open_replacement(settings, **_VECTORS)
    found, reindexer = fold(), _reindexer(new.index)
    write_latest(found, log, reindexer)
    workers = [open_index_for_writing(settings, **_VECTORS)]
    monkeypatch.setattr("connectors.qdrant.replacement.find_owner", lambda _path: None)
    new.switch(follow=lambda: index_new(found, log, reindexer), wait=lambda: workers.pop().close())
    assert workers == []
    assert _live(settings) == 39


def test_a_crash_before_the_rename_keeps_the_old_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old index is unchanged after the crash, and the next rebuild succeeds."""
    settings, log = IndexSettings(path=tmp_path / "index"), _topic()
    _write(settings, list(log.records()))
    before = _digest(settings)
    with monkeypatch.context() as patched:
        patched.setattr("connectors.qdrant.folder._note", _crash)
        with pytest.raises(KeyboardInterrupt):
            _rebuilt(settings, log)
    assert _digest(settings) == before
    _rebuilt(settings, log)
    assert _digest(settings) == before


def _crash(*_args: object) -> None:
    raise KeyboardInterrupt


def test_two_rebuilds_of_one_folder_are_refused(tmp_path: Path) -> None:
    """A second rebuild of a folder fails while the first is running."""
    settings = IndexSettings(path=tmp_path / "index")
    first = open_replacement(settings, **_VECTORS)
    with pytest.raises(ConfigError, match="in use by process"):
        open_replacement(settings, **_VECTORS)
    first.close()
    take_lock(settings.path).release()


def test_an_alias_switches_when_the_new_collection_is_complete(server: IndexSettings) -> None:
    """The old collection answers until the switch, and the new one has the same digest after it."""
    before = _digest(server)
    _rebuilt(server, _topic(), while_filling=lambda: _assert_digest(server, before))
    assert _digest(server) == before


def _assert_digest(settings: IndexSettings, wanted: str) -> None:
    assert _digest(settings) == wanted


def test_a_late_write_to_the_old_collection_is_in_the_new_one(server: IndexSettings) -> None:
    """The new collection has a record that a worker wrote between catching up and the switch."""
    _late(server, _topic())
    assert _live(server) == 40


def _late(server: IndexSettings, log: _Topic) -> None:
    late = event(102, "late", 1)

    def arrives() -> None:
        log.append(late)
        _write(server, [late])

    _rebuilt(server, log, before_the_switch=arrives)


def test_a_switch_that_skips_the_last_records_is_caught(server: IndexSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant that switches without reading the log once more loses a record."""
    monkeypatch.setattr(NewCollection, "switch", lambda self, **_kwargs: self._alias.point_to(self.name))
    _late(server, _topic())
    assert _live(server) == 39


def test_a_switch_that_comes_first_is_caught(server: IndexSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant that switches before the new collection is complete answers from half an index."""
    before, opened = _digest(server), replacement.open_new_collection

    def early(settings: IndexSettings, *, dimension: int, model: str) -> NewCollection:
        found = opened(settings, dimension=dimension, model=model)
        found._alias.point_to(found.name)
        return found

    monkeypatch.setattr(replacement, "open_new_collection", early)
    with pytest.raises(AssertionError):
        _rebuilt(server, _topic(), while_filling=lambda: _assert_digest(server, before))


def test_the_name_of_a_collection_is_refused(tmp_path: Path) -> None:
    """A rebuild needs an alias: a collection's own name is an error that says what to do."""
    with QdrantFacade(tmp_path / "qdrant") as facade:
        settings = IndexSettings(url=facade.url, collection="tickets")
        _write(settings, [event(0, "1", 1)])
        with pytest.raises(ConfigError, match=r"tickets is a collection and not an alias.*tickets-live"):
            open_replacement(settings, **_VECTORS)


def test_an_alias_whose_workers_have_another_model_is_refused(server: IndexSettings) -> None:
    """A rebuild for another model than the workers' is refused: they would write their vectors into it."""
    with pytest.raises(ConfigError, match="holds vectors of hashing/1"):
        open_replacement(server, dimension=_EMBEDDER.dimension, model="other/1")
