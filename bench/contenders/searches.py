"""Measures searches by the plan in six tenants' copies of Hadoop's issues, before and after the vectors are indexed."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path
from typing import Final, cast

import msgspec
import numpy as np

from bench.contenders.growth import writing
from bench.finding.index import fill
from bench.finding.sets import HADOOP, load
from bench.job import Clock, Job, Measured, answer
from connectors.qdrant.engine import AnyOf, Found
from connectors.qdrant.open import EmbeddedIndex
from connectors.qdrant.optimiser import Optimiser, run_in_child
from core.environment import load_settings
from core.identity import point_id
from core.index import SearchQuery
from core.payload import Payload
from core.protocols import Embedder, TextKind
from core.records import Point, TicketPoints, Vector
from core.settings import Settings
from models.open import load_embedder
from runtime.index import open_index_for_writing
from runtime.searcher import IndexSearcher

_TENANTS: Final = 6
_BATCH: Final = 256
#: Duration of the searches beside writes, in seconds.
_BESIDE_S: Final = 10.0


class _Asked:
    """An embedder with the questions' vectors in memory, so that searches are timed without the model."""

    def __init__(self, embedder: Embedder, questions: Sequence[str]) -> None:
        self._embedder = embedder
        self._known = dict(zip(questions, embedder.embed(questions, "query"), strict=True))
        self.dimension, self.max_tokens, self.stamp = embedder.dimension, embedder.max_tokens, embedder.stamp
        self.spans = embedder.spans

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> Vector:
        if all(text in self._known for text in texts):
            return np.stack([self._known[text] for text in texts])
        return self._embedder.embed(texts, kind)


def _measure(*, indexed: bool) -> Callable[[Job], Measured]:
    def run(_job: Job) -> Measured:
        found, settings, clock = load(HADOOP), load_settings(), Clock()
        embedder = load_embedder(settings.model)
        # outside the run's folder, so that contenders share it
        alone = Path(settings.index.path).parent / f"finding-{HADOOP}"
        fill(found, settings, embedder, alone)
        questions = [one.question for group in ("subject", "identifiers") for one in found.questions[group]]
        with ExitStack() as stack:
            index = open_index_for_writing(settings.index, embedder, stack)
            assert isinstance(index, EmbeddedIndex), "TICKETS_INDEX__URL isn't set"
            _copy(settings, embedder, alone, index)
            if indexed:
                optimiser = Optimiser(
                    index.edge, settings.index.path, size=settings.index.size, after=1, run=run_in_child
                )
                assert optimiser.optimise(threading.Event()), "the vectors were indexed"
            passages = index.size().points
            figures = {"passages": passages, "own": passages / _TENANTS, **_times(index, embedder, questions, clock)}
        measured = clock.measured(tickets=len(found.records) * _TENANTS, texts=len(questions))
        return msgspec.structs.replace(measured, figures={name: round(float(f), 3) for name, f in figures.items()})

    return run


def _times(index: EmbeddedIndex, embedder: Embedder, questions: Sequence[str], clock: Clock) -> dict[str, float]:
    """Time searches without and with the model, and beside writes; `clock` measures the first ones."""
    searcher = IndexSearcher(index=index, embedder=_Asked(embedder, questions))
    _ask(searcher, questions)  # reads the files into memory
    with clock.measure():
        took = _ask(searcher, questions)
    with writing(index, 0):
        beside = _ask(searcher, questions, seconds=_BESIDE_S)
    whole = _ask(IndexSearcher(index=index, embedder=embedder), questions)
    (p50, p95), p95_beside = np.percentile(took, [50, 95]), np.percentile(beside, 95)
    return {
        "p50": float(p50),
        "p95": float(p95),
        "cpu": clock.cpu_seconds * 1000 / len(took),
        "whole": float(np.percentile(whole, 50)),
        "beside": float(p95_beside),
        "ratio": float(p95_beside / p95),
    }


def _copy(settings: Settings, embedder: Embedder, alone: Path, index: EmbeddedIndex) -> None:
    """Write the index `alone` into `index` once for each tenant."""
    with ExitStack() as stack:
        own = settings.index.model_copy(update={"path": alone})
        source = open_index_for_writing(own, embedder, stack)
        tickets: dict[str, list[Found]] = defaultdict(list)
        for found in source.engine.scan([AnyOf("state", ("live",))], vectors=True):
            tickets[str(found.payload["ticket_id"])].append(found)
    for number in range(_TENANTS):
        made = (_ticket(f"tenant-{number}", ticket_id, found) for ticket_id, found in tickets.items())
        while batch := list(islice(made, _BATCH)):
            index.write(batch)


def _ticket(tenant: str, ticket_id: str, found: Sequence[Found]) -> TicketPoints:
    chunks = sorted(found, key=lambda one: int(str(one.payload["chunk"])))
    head = point_id(tenant, ticket_id, 0)
    points = tuple(
        Point(
            point_id(tenant, ticket_id, number),
            np.asarray(one.vector, np.float32),
            cast("Payload", {**one.payload, "tenant_id": tenant, "head": head}),
            one.terms,
        )
        for number, one in enumerate(chunks)
    )
    return TicketPoints(tenant, ticket_id, 1, points)


def _ask(searcher: IndexSearcher, questions: Sequence[str], *, seconds: float = 0.0) -> list[float]:
    """Ask every question once, or for `seconds`, in each tenant in turn; return the milliseconds of each search."""
    took, began = list[float](), time.perf_counter()
    for number, question in enumerate(cycle(questions)):
        if number >= len(questions) and time.perf_counter() - began >= seconds:
            break
        query = SearchQuery(tenant_id=f"tenant-{number % _TENANTS}")
        start = time.perf_counter()
        assert searcher.search(question, query).hits
        took.append((time.perf_counter() - start) * 1000)
    return took


CONTENDERS: Final = {
    "before indexing": _measure(indexed=False),
    "as a worker keeps it": _measure(indexed=True),
}

if __name__ == "__main__":
    answer(CONTENDERS)
