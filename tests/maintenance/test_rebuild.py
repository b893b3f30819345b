"""An index made anew: whole before it answers, and nothing that the old one took meanwhile is missing."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from connectors.qdrant.digest import digest
from connectors.qdrant.open import open_index
from connectors.qdrant.ownership import Ownership
from connectors.qdrant.successor import Collection, Folder, begin
from core.errors import ConfigError
from core.records import Record
from core.settings import IndexSettings, ModelSettings, Settings
from maintenance.bulk import Bulk
from maintenance.rebuild import catch_up, fill, follow
from models.run.hashing import HashingEmbedder
from stream.plan import ticket_steps
from tests.maintenance.test_reconcile import FakeLog, event, fold
from tests.rigs.qdrant_facade import QdrantFacade

_EMBEDDER = HashingEmbedder()
_MADE: dict[str, Any] = {"dimension": _EMBEDDER.dimension, "model": _EMBEDDER.stamp}
_SETTINGS = Settings(model=ModelSettings(name="hashing"))


class _Topic(FakeLog):
    """A log that grows."""

    def append(self, record: Record) -> None:
        self._records.append(record)


def _topic() -> _Topic:
    edits = [event(n, f"T-{n % 40}", n) for n in range(100)]
    return _Topic([*edits, event(100, "T-1", 200, op="delete"), event(101, "T-2", 1)], 0)


def _bulk(index: Any) -> Bulk:
    return Bulk(steps=ticket_steps(_SETTINGS, _EMBEDDER), index=index, settings=_SETTINGS.writer)


@contextmanager
def _opened(settings: IndexSettings) -> Iterator[Any]:
    index = open_index(settings, **_MADE)
    try:
        yield index
    finally:
        index.close()


def _write(settings: IndexSettings, records: Sequence[Record]) -> None:
    """As a worker would."""
    with _opened(settings) as index:
        _bulk(index).apply(iter(records))


def _digest(settings: IndexSettings) -> str:
    with _opened(settings) as index:
        return digest(index)


def _live(settings: IndexSettings) -> int:
    with _opened(settings) as index:
        return sum(not ticket.deleted for ticket in index.tickets())


@pytest.fixture
def server(tmp_path: Path) -> Iterator[IndexSettings]:
    """An alias that leads to an index of the log."""
    with QdrantFacade(tmp_path / "qdrant") as facade:
        settings = IndexSettings(url=facade.url, collection="live")
        first = begin(settings, **_MADE)
        first.switch(follow=lambda: None, wait=_never)
        first.close()
        _write(settings, list(_topic().records()))
        yield settings


def _never() -> None:
    raise AssertionError("nobody needs to be waited for")


def _rebuilt(
    settings: IndexSettings,
    log: _Topic,
    *,
    while_filling: Callable[[], None] = lambda: None,
    before_the_switch: Callable[[], None] = lambda: None,
) -> None:
    """What the command does."""

    def watched(records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            if record.origin.offset == 50:
                while_filling()
            yield record

    successor, found = begin(settings, **_MADE), fold()
    bulk = _bulk(successor.index)
    fill(found, log, bulk, writing=watched)
    catch_up(found, log, bulk)
    before_the_switch()
    successor.switch(follow=lambda: follow(found, log, bulk), wait=_never)
    successor.close()


def test_a_new_folder_takes_the_old_ones_place(tmp_path: Path) -> None:
    """The digest is the same, the old points are gone, and the folder opens as before."""
    settings, log = IndexSettings(path=tmp_path / "index"), _topic()
    _write(settings, list(log.records()))
    before = _digest(settings)
    for _ in range(2):
        _rebuilt(settings, log)
        assert _digest(settings) == before
        assert len(list(settings.path.glob("shard*"))) == 1
        assert not (settings.path / "rebuild").exists()


def test_a_folder_in_use_waits_for_its_worker(tmp_path: Path) -> None:
    """The old index answers until its worker lets go; what it took meanwhile is in the new one."""
    settings, log = IndexSettings(path=tmp_path / "index"), _topic()
    _write(settings, list(log.records()))
    worker = open_index(settings, **_MADE)
    successor, found = Folder(settings, **_MADE), fold()
    bulk = _bulk(successor.index)
    fill(found, log, bulk)
    late = event(102, "late", 1)

    def wait() -> None:
        assert sum(not ticket.deleted for ticket in worker.tickets()) == 39
        log.append(late)
        _bulk(worker).apply(iter([late]))
        worker.close()

    successor.switch(follow=lambda: follow(found, log, bulk), wait=wait)
    assert _live(settings) == 40


def test_a_worker_that_is_started_again_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a supervisor, between our look at the folder and our taking it: the finished index is worth the wait."""
    settings, log = IndexSettings(path=tmp_path / "index"), _topic()
    successor = Folder(settings, **_MADE)
    found, bulk = fold(), _bulk(successor.index)
    fill(found, log, bulk)
    workers = [open_index(settings, **_MADE)]
    monkeypatch.setattr("connectors.qdrant.successor.find_owner", lambda _path: None)
    successor.switch(follow=lambda: follow(found, log, bulk), wait=lambda: workers.pop().close())
    assert workers == []
    assert _live(settings) == 39


def test_a_crash_before_the_rename_leaves_the_old_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the next try begins anew."""
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


def _crash(*_args: Any) -> None:
    raise KeyboardInterrupt


def test_two_rebuilds_of_one_folder_are_refused(tmp_path: Path) -> None:
    """The second is told that the first is at work."""
    settings = IndexSettings(path=tmp_path / "index")
    first = begin(settings, **_MADE)
    with pytest.raises(ConfigError, match="in use by process"):
        begin(settings, **_MADE)
    first.close()
    Ownership(settings.path).release()


def test_an_alias_is_turned_when_the_new_collection_is_whole(server: IndexSettings) -> None:
    """The same digest under the same name, and until then the old one answers."""
    before = _digest(server)
    _rebuilt(server, _topic(), while_filling=lambda: _assert_whole(server, before))
    assert _digest(server) == before


def _assert_whole(settings: IndexSettings, wanted: str) -> None:
    assert _digest(settings) == wanted


def test_what_was_acked_to_the_old_collection_is_in_the_new_one(server: IndexSettings) -> None:
    """A record that a worker writes between the last look at the log and the switch."""
    _late(server, _topic())
    assert _live(server) == 40


def _late(server: IndexSettings, log: _Topic) -> None:
    late = event(102, "late", 1)

    def arrives() -> None:
        log.append(late)
        _write(server, [late])

    _rebuilt(server, log, before_the_switch=arrives)


def test_a_switch_without_a_last_look_is_caught(server: IndexSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """It loses what was acked to the old collection."""
    monkeypatch.setattr(Collection, "switch", lambda self, **_kwargs: self._alias.point_to(self.name))
    _late(server, _topic())
    assert _live(server) == 39


def test_a_switch_that_comes_first_is_caught(server: IndexSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers from half an index."""
    before, made = _digest(server), Collection.__init__

    def early(self: Collection, settings: IndexSettings, **kwargs: Any) -> None:
        made(self, settings, **kwargs)
        self._alias.point_to(self.name)

    monkeypatch.setattr(Collection, "__init__", early)
    with pytest.raises(AssertionError):
        _rebuilt(server, _topic(), while_filling=lambda: _assert_whole(server, before))


def test_a_collections_own_name_is_no_alias(tmp_path: Path) -> None:
    """The line says what to do."""
    with QdrantFacade(tmp_path / "qdrant") as facade:
        settings = IndexSettings(url=facade.url, collection="tickets")
        _write(settings, [event(0, "1", 1)])
        with pytest.raises(ConfigError, match=r"tickets is a collection and no alias.*tickets-live"):
            begin(settings, **_MADE)


def test_an_alias_whose_workers_have_another_model_is_refused(server: IndexSettings) -> None:
    """After the switch they would write its vectors into the new collection."""
    with pytest.raises(ConfigError, match="holds vectors of hashing/1"):
        begin(server, dimension=_EMBEDDER.dimension, model="other/1")
