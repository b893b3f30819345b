"""Fills an index with a set's tickets, through the regular steps of a worker, and searches it."""

from contextlib import ExitStack
from pathlib import Path

from bench.finding.sets import FindingSet
from core.protocols import Embedder
from core.settings import Settings
from maintenance.reindexer import Reindexer
from runtime.index import open_index_for_reading, open_index_for_writing
from runtime.searcher import IndexSearcher, Searcher
from stream.plan import ticket_steps


def fill(found: FindingSet, settings: Settings, embedder: Embedder, folder: Path) -> None:
    """Index the tickets into `folder`, if it isn't there yet."""
    if folder.exists():
        return
    own = settings.index.model_copy(update={"path": folder})
    with ExitStack() as stack:
        index = open_index_for_writing(own, embedder, stack)
        steps = ticket_steps(settings, embedder)
        Reindexer(steps=steps, index=index, settings=settings.writer).index_records(found.records)


def open_set_searcher(settings: Settings, embedder: Embedder, folder: Path, stack: ExitStack) -> Searcher:
    """Searches the index in `folder`."""
    own = settings.index.model_copy(update={"path": folder})
    return IndexSearcher(index=open_index_for_reading(own, embedder, stack), embedder=embedder)
