"""Fills an index with a set's tickets, through the regular steps of a worker, and searches it."""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from bench.finding.sets import FindingSet
from core.index import Candidate, SearchQuery
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
    """Index the tickets into `folder`, unless it exists."""
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
    """Searches the index in `folder`, as the search settings say."""
    index = open_set(settings, embedder, folder, stack)
    return IndexSearcher(index=index, embedder=embedder, settings=settings.search)


def best_passages(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The nearest passage of each ticket, best first."""
    best: dict[str, Candidate] = {}
    for one in sorted(candidates, key=lambda one: -one.similarity):
        best.setdefault(one.ticket_id, one)
    return list(best.values())


def ask_by_meaning(index: IndexReader, embedder: Embedder) -> Ask:
    """Rank tickets by the cosine of their best passage alone, as a baseline of the search."""

    def ask(question: Question) -> Found:
        query = SearchQuery(tenant_id=question.tenant, limit=2 * DEPTH + len(question.without))
        vector = embedder.embed([question.question], "query")[0]
        ranked = [one.ticket_id for one in best_passages(index.candidates(query, vector, None))]
        return Found(tuple(one for one in ranked if one not in question.without)[:DEPTH], nothing=not ranked)

    return ask
