"""Searches by text: the query's embedding, and which index or worker answers."""

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from connectors.qdrant.engine import NoIndexError
from connectors.qdrant.lock import InUseError, take_lock
from connectors.qdrant.open import open_index_for_writing
from core.errors import ConfigError, TransientError
from core.index import SearchQuery
from core.model_settings import ModelSettings
from core.protocols import TextKind
from core.provenance import LogIdentity, Progress, Provenance
from core.records import Vector
from core.settings import IndexSettings, Settings
from models.run.hashing import HashingEmbedder
from runtime import searcher as searchers
from runtime.control import WorkerClient
from runtime.searcher import IndexSearcher, open_searcher
from tests.fakes import FakeIndex


class _RecordingEmbedder(HashingEmbedder):
    def __init__(self) -> None:
        super().__init__()
        self.embedded: list[tuple[list[str], TextKind]] = []

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> Vector:
        self.embedded.append((list(texts), kind))
        return super().embed(texts, kind)


def test_a_question_is_redacted_and_embedded_as_a_query() -> None:
    """A question is redacted as a ticket's text is, and embedded with the kind `query`."""
    embedder = _RecordingEmbedder()
    searcher = IndexSearcher(index=FakeIndex(), embedder=embedder)
    searcher.search("where is ada@example.com's card", SearchQuery(tenant_id="acme"))
    assert embedder.embedded == [(["where is [EMAIL]'s card"], "query")]


def _of(**progress: Any) -> Provenance:
    log = Progress(LogIdentity("tickets.raw"), **progress)
    return Provenance(index="1", model=HashingEmbedder.stamp, created_ms=0, logs=(log,))


def test_an_index_that_must_be_read_again_answers_no_search() -> None:
    """Its answers would be out of date; a second after it has caught up, it answers."""
    index, now = FakeIndex(), [0.0]
    searcher = IndexSearcher(index=index, embedder=HashingEmbedder(), clock=lambda: now[0])
    index.provenance = _of(positions={0: 3}, until={0: 10})
    with pytest.raises(TransientError, match=r"must be read again: it lacks 7 record\(s\)"):
        searcher.search("where is my invoice", SearchQuery(tenant_id="acme"))
    with pytest.raises(TransientError, match="must be read again"):
        searcher.threads("acme", ["1"])
    index.provenance, now[0] = _of(positions={0: 10}, until={0: 10}), 1.0
    assert searcher.search("where is my invoice", SearchQuery(tenant_id="acme")).hits == ()
    assert searcher.warning() is None


def test_answers_of_an_index_that_lacks_expired_records_have_a_warning() -> None:
    """Records that were deleted unread can't be read again, so the searcher answers, and `warning` says so."""
    index = FakeIndex()
    index.provenance = _of(expired=20)
    searcher = IndexSearcher(index=index, embedder=HashingEmbedder())
    assert searcher.search("where is my invoice", SearchQuery(tenant_id="acme")).hits == ()
    assert "20 record(s) were deleted from the topic before they were read" in (searcher.warning() or "")


def _settings(path: Path) -> Settings:
    return Settings(model=ModelSettings(name="hashing"), index=IndexSettings(path=path))


def test_a_ticket_id_that_is_not_unicode_is_one_line() -> None:
    """A ticket id that isn't UTF-8 is refused as such a question is, without a traceback."""
    searcher = IndexSearcher(index=FakeIndex(), embedder=HashingEmbedder())
    with pytest.raises(ConfigError, match="not valid Unicode"):
        searcher.similar("T-\udcff", SearchQuery(tenant_id="acme"))


def test_an_index_without_a_worker_is_opened(tmp_path: Path) -> None:
    """A search without a worker opens the index itself, and a worker can open it at the same time."""
    settings, embedder = _settings(tmp_path / "index"), HashingEmbedder()
    open_index_for_writing(settings.index, dimension=embedder.dimension, model=embedder.stamp).close()
    with ExitStack() as stack:
        searcher = open_searcher(settings, stack)
        open_index_for_writing(settings.index, dimension=embedder.dimension, model=embedder.stamp).close()
        assert searcher.status().points == 0
        assert searcher.search("where is my invoice", SearchQuery(tenant_id="acme")).hits == ()


def test_a_search_before_the_first_worker_creates_nothing(tmp_path: Path) -> None:
    """A missing index is an error, and its folder isn't created."""
    with ExitStack() as stack, pytest.raises(NoIndexError):
        open_searcher(_settings(tmp_path / "index"), stack)
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_starts_is_waited_for(tmp_path: Path) -> None:
    """A worker that has locked the index and doesn't answer yet is asked as soon as it has announced its address."""
    lock = take_lock(tmp_path)
    start = threading.Timer(0.3, lambda: lock.announce("http://127.0.0.1:1", "secret"))
    start.start()
    with ExitStack() as stack:
        assert isinstance(open_searcher(_settings(tmp_path), stack), WorkerClient)
    start.join()
    lock.release()


def test_a_process_that_answers_no_searches_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the process that uses the index never announces an address, the error names it."""
    monkeypatch.setattr(searchers, "_WORKER_START_S", 0.2)
    lock = take_lock(tmp_path)
    with ExitStack() as stack, pytest.raises(InUseError, match=r"process \d+ is using the index"):
        open_searcher(_settings(tmp_path), stack)
    lock.release()
