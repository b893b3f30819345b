"""An index on a server is rebuilt while workers write and searches run."""

import threading
from pathlib import Path
from typing import Self

import numpy as np

from connectors.qdrant.open import open_index_for_writing
from core.index import SearchQuery
from core.settings import IndexSettings
from models.open import load_embedder
from synthetic.tickets import events
from tests.contracts.digest import contents
from tests.contracts.index_laws import nearest
from tests.e2e.terminal import Terminal
from tests.e2e.world import WorkerProcess, World, assert_same
from tests.oracle import fold
from tests.rigs.qdrant_facade import QdrantFacade


def test_an_alias_is_switched_during_a_running_stream(tansu: str, tmp_path: Path) -> None:
    """Searches always see a complete index, new records are in the rebuilt one, and no worker restarts."""
    world = World(tansu, tmp_path)
    everything = list(events(900, seed=41, deletes=0))
    world.produce(everything[:600])
    with QdrantFacade(tmp_path / "qdrant") as facade:
        server = {"TICKETS_INDEX__URL": facade.url, "TICKETS_INDEX__COLLECTION": "live"}
        terminal = Terminal(world, **server)
        assert terminal.json("rebuild")["old"] is None, "a free name becomes an alias"
        with WorkerProcess(world, environment=server) as worker:
            world.wait_committed([worker])
            settings = IndexSettings(url=facade.url, collection="live")
            with _Searches(world, settings) as searches:
                writing = threading.Thread(target=world.produce, args=(everything[600:],))
                writing.start()
                made = terminal.json("rebuild")
                writing.join()
            assert made["old"].startswith("live-")
            assert made["index"] != made["old"]
            assert searches.count > 3
            assert searches.fewest >= 20
            world.wait_committed([worker])
            assert terminal.json("reconcile")["differences"] == []
            assert worker.terminate() == 0, worker.output()
        embedder = load_embedder(world.settings.model)
        index = open_index_for_writing(settings, dimension=embedder.dimension, model=embedder.stamp)
        found, held = contents(index), len(list(index.tickets()))
        index.close()
    assert held == len(fold(world.log()))
    assert_same(found, world.folded(world.log()))


class _Searches(threading.Thread):
    """Searches continuously; `fewest` is the smallest number of hits."""

    def __init__(self, world: World, settings: IndexSettings) -> None:
        super().__init__()
        embedder = load_embedder(world.settings.model)
        self._index = open_index_for_writing(settings, dimension=embedder.dimension, model=embedder.stamp)
        self._vector = np.asarray(embedder.embed(["card"], "query")[0])
        self._done = threading.Event()
        self.count, self.fewest = 0, 10**6

    def run(self) -> None:
        while not self._done.wait(0.05):
            try:
                hits = len(nearest(self._index, SearchQuery(tenant_id="acme", limit=20), self._vector))
            except Exception:  # noqa: BLE001 - a failed search counts as 0 hits
                hits = 0
            self.fewest = min(self.fewest, hits)
            self.count += 1

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._done.set()
        self.join()
        self._index.close()
