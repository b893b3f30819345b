"""A searcher that is reopened after the loss of its worker or index."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from core.errors import ConfigError, OtherModelError, TransientError, UnavailableError
from core.index import SearchQuery
from core.settings import IndexSettings, Settings
from models.run.hashing import HashingEmbedder
from runtime.live_searcher import LiveSearcher, open_live_searcher, start_live_searcher
from runtime.searcher import IndexSearcher, Searcher
from tests.fakes import FakeIndex
from tests.rigs.waiting import wait_until

_QUERY = SearchQuery(tenant_id="acme")


class _World:
    """Opens searchers, or raises `fault`."""

    def __init__(self) -> None:
        self.fault: Exception | None = None
        self.opened: list[IndexSearcher] = []
        self.closed = 0

    def open(self, stack: ExitStack) -> Searcher:
        if self.fault is not None:
            raise self.fault
        stack.callback(self._close)
        self.opened.append(_Breakable())
        return self.opened[-1]

    def _close(self) -> None:
        self.closed += 1


class _Breakable(IndexSearcher):
    """Answers, or raises `fault`."""

    def __init__(self) -> None:
        super().__init__(index=FakeIndex(), embedder=HashingEmbedder())
        self.fault: Exception | None = None

    def warning(self) -> str | None:
        if self.fault is not None:
            raise self.fault
        return None


@pytest.fixture
def world() -> _World:
    """A world without faults."""
    return _World()


@pytest.fixture
def start(world: _World) -> Iterator[Callable[[], LiveSearcher]]:
    """Opens a live searcher in the world."""
    with ExitStack() as stack:
        yield lambda: start_live_searcher(world.open, stack, retry_s=0.01)


def test_it_waits_for_what_isnt_there_yet(world: _World, start: Callable[[], LiveSearcher]) -> None:
    """Until the index can be opened, every search is refused at once with the reason."""
    world.fault = ConfigError("no worker yet")
    searcher = start()
    wait_until(lambda: searcher.fault == "no worker yet")
    with pytest.raises(UnavailableError, match="no worker yet"):
        searcher.search("why", _QUERY)
    world.fault = None
    wait_until(lambda: searcher.fault is None)
    assert searcher.search("why", _QUERY).hits == ()
    assert searcher.threads("acme", ["1"]) == ()
    assert searcher.status().points == 0


@pytest.mark.parametrize("fault", [UnavailableError("the worker is gone"), OtherModelError("another model")])
def test_a_lost_searcher_is_opened_again(world: _World, start: Callable[[], LiveSearcher], fault: Exception) -> None:
    """The call that notices a loss fails; the lost searcher is closed and replaced once for all callers."""
    searcher = start()
    wait_until(lambda: searcher.fault is None)
    lost = world.opened[0]
    assert isinstance(lost, _Breakable)
    lost.fault = fault
    failed: list[Exception] = []

    def ask() -> None:
        try:
            searcher.warning()
        except (UnavailableError, OtherModelError) as error:
            failed.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed
    wait_until(lambda: searcher.fault is None)
    assert searcher.warning() is None
    assert (len(world.opened), world.closed) == (2, 1)


def test_an_outage_of_the_index_loses_no_searcher(world: _World, start: Callable[[], LiveSearcher]) -> None:
    """A transient error is passed to the caller, and the same searcher answers the next question."""
    searcher = start()
    wait_until(lambda: searcher.fault is None)
    held = world.opened[0]
    assert isinstance(held, _Breakable)
    held.fault = TransientError("index out")
    with pytest.raises(TransientError, match="index out"):
        searcher.warning()
    held.fault = None
    assert searcher.warning() is None
    assert len(world.opened) == 1


def test_a_fault_of_ours_is_told_without_its_message(world: _World, start: Callable[[], LiveSearcher]) -> None:
    """An unexpected error is reported without its message, which may quote a ticket."""
    world.fault = RuntimeError("the text of a ticket")
    searcher = start()
    wait_until(lambda: searcher.fault == "the index can't be opened (RuntimeError)")


def test_an_embedded_index_is_asked_through_its_worker(tmp_path: Path) -> None:
    """Without a worker the reason names the folder and what to do; nothing is created."""
    with ExitStack() as stack:
        searcher = open_live_searcher(Settings(index=IndexSettings(path=tmp_path / "index")), stack)
        wait_until(lambda: "no worker has the index in" in (searcher.fault or ""))
    assert list(tmp_path.iterdir()) == []
