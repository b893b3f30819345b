"""During an outage of the index a search returns an error within its timeout."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, get_args

import pytest

from connectors.qdrant import connection
from connectors.qdrant.open import open_index_for_writing
from core.errors import EXIT_UNAVAILABLE, TransientError
from core.index import SearchQuery
from core.settings import IndexSettings, Settings
from models.open import load_embedder
from runtime.searcher import IndexSearcher
from synthetic.tickets import events
from tests.e2e.terminal import Terminal
from tests.e2e.world import World
from tests.faults.server import BreakableServer, Outage
from tests.rigs.calm import calm_clock

_TIMEOUT_S: Final = 1
_DEADLINE_S: Final = _TIMEOUT_S + 2.0
#: It includes the start of a process and its imports.
_COMMAND_S: Final = _TIMEOUT_S + 9.0
_QUERY: Final = SearchQuery(tenant_id="acme", limit=3)


class _TimedSearch:
    """A search on its own thread, with its result or error and its duration."""

    def __init__(self, searcher: IndexSearcher) -> None:
        self._searcher = searcher
        self.outcome: Any = None
        self.took_s = float("inf")
        thread = threading.Thread(target=self._ask, daemon=True)
        began = calm_clock()
        thread.start()
        while thread.is_alive() and calm_clock() - began < _DEADLINE_S:
            thread.join(0.05)

    def _ask(self) -> None:
        began = time.monotonic()
        try:
            outcome: Any = self._searcher.search("cannot sign in", _QUERY).hits
        except Exception as error:  # noqa: BLE001 - the test checks it
            outcome = error
        self.took_s, self.outcome = time.monotonic() - began, outcome


@pytest.fixture
def server(tmp_path: Path) -> Iterator[BreakableServer]:
    """The test's server."""
    served = BreakableServer(tmp_path / "server")
    yield served
    served.close()


def _searcher(server: BreakableServer, world: World) -> IndexSearcher:
    embedder = load_embedder(Settings().model.model_copy(update={"name": "hashing"}))
    settings = IndexSettings(url=server.url, timeout_s=_TIMEOUT_S)
    index = open_index_for_writing(settings, dimension=embedder.dimension, model=embedder.stamp)
    world.produce(events(30, seed=1))
    index.write(world.points(world.log()))
    return IndexSearcher(index=index, embedder=embedder)


@pytest.mark.parametrize("how", get_args(Outage))
def test_a_search_in_an_outage_ends_in_time(how: Outage, server: BreakableServer, tansu: str, tmp_path: Path) -> None:
    """The search raises TransientError within its timeout, the command exits too, and later searches succeed."""
    world = World(tansu, tmp_path)
    searcher = _searcher(server, world)
    found = _TimedSearch(searcher).outcome
    assert len(found) == 3
    with server.outage(how):
        timed = _TimedSearch(searcher)
        assert isinstance(timed.outcome, TransientError), f"after {timed.took_s:.1f} s: {timed.outcome!r}"
        terminal = Terminal(world, TICKETS_INDEX__URL=server.url, TICKETS_INDEX__TIMEOUT_S=str(_TIMEOUT_S))
        began = calm_clock()
        assert not terminal.run("search", "--tenant", "acme", "cannot sign in", code=EXIT_UNAVAILABLE)
        assert calm_clock() - began <= _COMMAND_S
    back = calm_clock()
    while isinstance(_TimedSearch(searcher).outcome, TransientError):
        assert calm_clock() - back < 5, "the index is back, and searches still fail"
    assert [hit.ticket_id for hit in _TimedSearch(searcher).outcome] == [hit.ticket_id for hit in found]


def test_a_search_without_a_timeout_is_caught(
    server: BreakableServer, tansu: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mutant client without a timeout has no result at the deadline."""
    module: Any = connection
    client = module.QdrantClient
    monkeypatch.setattr(module, "QdrantClient", lambda **options: client(**options | {"timeout": 86_400}))
    searcher = _searcher(server, World(tansu, tmp_path))
    with server.outage("silent"):
        assert _TimedSearch(searcher).outcome is None
