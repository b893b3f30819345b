"""Fills an index with a set's tickets, through the regular steps of a worker, and searches it."""

from contextlib import ExitStack
from pathlib import Path

from bench.finding.sets import FindingSet
from core.index import SearchQuery
from core.protocols import Embedder, IndexReader
from core.settings import Settings
from maintenance.evaluation.evaluate import Ask, Found
from maintenance.evaluation.measures import DEPTH
from maintenance.evaluation.questions import Question
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


def open_set(settings: Settings, embedder: Embedder, folder: Path, stack: ExitStack) -> IndexReader:
    """The index in `folder`, for reading."""
    return open_index_for_reading(settings.index.model_copy(update={"path": folder}), embedder, stack)


def open_set_searcher(settings: Settings, embedder: Embedder, folder: Path, stack: ExitStack) -> Searcher:
    """Searches the index in `folder`."""
    return IndexSearcher(index=open_set(settings, embedder, folder, stack), embedder=embedder)


def ask_by_meaning(index: IndexReader, embedder: Embedder) -> Ask:
    """Ranks tickets by the cosine of their best passage alone, to compare the plan with."""

    def ask(question: Question) -> Found:
        query = SearchQuery(tenant_id=question.tenant, limit=2 * DEPTH + len(question.without))
        vector = embedder.embed([question.question], "query")[0]
        best: dict[str, float] = {}
        for one in index.candidates(query, vector, None):
            best[one.ticket_id] = max(one.similarity, best.get(one.ticket_id, -1.0))
        ranked = sorted(best, key=lambda ticket_id: -best[ticket_id])
        return Found(tuple(one for one in ranked if one not in question.without)[:DEPTH], nothing=not ranked)

    return ask
