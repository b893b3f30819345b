"""Measures an embedded index as it grows, before and after its vectors are indexed: ten tenants, made-up vectors."""

import multiprocessing
import resource
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.finding.index import best_passages
from bench.job import Clock, Job, Measured, answer
from bench.vectors import DIMENSION, VectorSource
from connectors.qdrant.copying import size_of
from connectors.qdrant.open import EmbeddedIndex, open_index_for_writing
from connectors.qdrant.optimiser import Optimiser, run_in_child
from core.environment import load_settings
from core.identity import point_id
from core.index import SearchQuery
from core.payload import Payload
from core.records import Point, SparseVector, TicketPoints, Vector
from core.settings import IndexSettings

_TENANTS: Final = 10
_BATCH: Final = 256
_MODEL: Final = "bench/1"
_QUESTIONS: Final = 200
_LIMIT: Final = 10
#: Tickets per second that are written beside searches: about what a worker on two cores embeds.
_PACE: Final = 500
_BESIDE_S: Final = 10.0
#: Numbers of terms: in a passage, in a question, in all.
_TERMS: Final = 32
_ASKED_TERMS: Final = 6
_VOCABULARY: Final = 200_000
#: Added to a term's rank, which makes the most common terms rarer: stopwords are no terms.
_HEAD: Final = 50

#: Tenants of the tickets that are written beside searches, so that the searches' results don't change.
_LATER: Final = "later"

Truth = NDArray[np.int64]
Step = Callable[[IndexSettings, Truth], dict[str, float]]


def _grow(points: int) -> Callable[[Job], Measured]:
    """Fill an index, and measure it in a process of its own before and after its vectors are indexed."""

    def run(_job: Job) -> Measured:
        settings, clock = load_settings().index, Clock()
        with clock.measure():
            truth = _fill(settings, points)
        before = _apart(_ask, settings, truth)
        building = _apart(_index, settings, truth)
        after = _apart(_ask, settings, truth)
        figures = {
            "points": float(points),
            "writes": before["writes"],
            "writes after": after["writes"],
            "p50 before": before["p50"],
            "both before": before["both"],
            "rss before": before["rss"],
            **building,
            **{name: after[name] for name in ("p50", "p95", "both", "recall", "beside", "rss", "open")},
            "mib": size_of(settings.path) / 2**20,
        }
        found = clock.measured(tickets=points)
        return Measured(
            points, 0, 0, found.seconds, found.cpu_seconds, found.rss_mib, {n: round(f, 3) for n, f in figures.items()}
        )

    return run


def _apart(
    what: Callable[[IndexSettings, Truth], dict[str, float]], settings: IndexSettings, truth: Truth
) -> dict[str, float]:
    """Run a function in a new process, to measure its memory."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(what, (settings, truth))


def _fill(settings: IndexSettings, points: int) -> Truth:
    """Write the points, and return the nearest tickets of each question's tenant: numbers, int64[questions, 10]."""
    index, nearest = _open(settings), _Nearest(_questions())
    for first, vectors in _batches(points):
        index.write(_tickets(first, vectors))
        nearest.add(first, vectors)
    index.close()
    return nearest.numbers


class _Nearest:
    """The nearest vectors of each question's tenant so far, compared one by one."""

    def __init__(self, questions: Vector) -> None:
        self._questions = questions
        self._tenants = np.arange(len(questions)) % _TENANTS
        self._scores = np.full((len(questions), _LIMIT), -np.inf, np.float32)
        self.numbers: Truth = np.full((len(questions), _LIMIT), -1, np.int64)

    def add(self, first: int, vectors: Vector) -> None:
        numbers = np.arange(first, first + len(vectors))
        scores = self._questions @ vectors.T
        scores[self._tenants[:, None] != numbers % _TENANTS] = -np.inf
        scores = np.concatenate([self._scores, scores], axis=1)
        known = np.concatenate([self.numbers, np.broadcast_to(numbers, (len(scores), len(numbers)))], axis=1)
        best = np.argpartition(-scores, _LIMIT, axis=1)[:, :_LIMIT]
        self._scores = np.take_along_axis(scores, best, axis=1)
        self.numbers = np.take_along_axis(known, best, axis=1)


def _ask(settings: IndexSettings, truth: Truth) -> dict[str, float]:
    """Open the index and search, first alone and then beside writes."""
    began = time.perf_counter()
    index = _open(settings)
    opening = time.perf_counter() - began
    _search(index, np.zeros_like(truth))  # reads the files into memory
    took, recall = _search(index, truth)
    by_both = _search_by_both(index)
    rss = _rss_mib()
    size = index.size().points
    with writing(index, size):
        beside, _ = _search(index, truth, seconds=_BESIDE_S)
    writes = _timed_writes(index, size + _PACE * 100)
    index.close()
    p50, p95 = (float(n) for n in np.percentile(took, [50, 95]))
    return {
        "open": opening,
        "p50": p50,
        "p95": p95,
        "both": float(np.percentile(by_both, 50)),
        "recall": recall,
        "rss": rss,
        "beside": float(np.percentile(beside, 95)) / p95,
        "writes": writes,
    }


def _index(settings: IndexSettings, truth: Truth) -> dict[str, float]:
    """Index the vectors as a worker does, and search meanwhile."""
    index, stop, done = _open(settings), threading.Event(), threading.Event()
    took: list[float] = []

    def search() -> None:
        while not done.wait(0.1):
            took.extend(_search(index, truth[:1])[0])

    thread = threading.Thread(target=search)
    thread.start()
    optimiser = Optimiser(index.edge, settings.path, size=settings.size, after=1, run=run_in_child)
    began = time.perf_counter()
    assert optimiser.optimise(stop), "the vectors were indexed"
    seconds = time.perf_counter() - began
    done.set()
    thread.join()
    index.close()
    return {
        "build": seconds,
        "build rss": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
        "worst": max(took, default=0.0),
    }


def _search(index: EmbeddedIndex, truth: Truth, *, seconds: float = 0.0) -> tuple[list[float], float]:
    """Ask every question once, or for `seconds`; return each search's milliseconds and the share of `truth` found."""
    questions, took, found, began = _questions(), list[float](), 0, time.perf_counter()
    while True:
        for number, (question, nearest) in enumerate(zip(questions, truth, strict=False)):
            query = SearchQuery(tenant_id=f"tenant-{number % _TENANTS}", limit=_LIMIT)
            start = time.perf_counter()
            hits = best_passages(index.candidates(query, question, None))[:_LIMIT]
            took.append((time.perf_counter() - start) * 1000)
            found += len({hit.ticket_id for hit in hits} & {f"T-{n}" for n in nearest})
        if time.perf_counter() - began >= seconds:
            return took, found / (len(took) * _LIMIT)


def _search_by_both(index: EmbeddedIndex) -> list[float]:
    """Ask every question by its vector and by terms; the milliseconds of each search."""
    rng, took = np.random.default_rng(19), list[float]()
    for number, question in enumerate(_questions()):
        query = SearchQuery(tenant_id=f"tenant-{number % _TENANTS}", limit=_LIMIT)
        start = time.perf_counter()
        index.candidates(query, question, _terms(rng, _ASKED_TERMS))
        took.append((time.perf_counter() - start) * 1000)
    return took


@contextmanager
def writing(index: EmbeddedIndex, first: int) -> Iterator[None]:
    """Write new tickets at a worker's rate until the end of the `with`."""
    done, source = threading.Event(), VectorSource(13)

    def write() -> None:
        number, began = first, time.perf_counter()
        while not done.wait(max(0.0, began + (number - first) / _PACE - time.perf_counter())):
            index.write(_tickets(number, source.take(_BATCH), of=_LATER))
            number += _BATCH

    thread = threading.Thread(target=write)
    thread.start()
    yield
    done.set()
    thread.join()


def _timed_writes(index: EmbeddedIndex, first: int) -> float:
    """Tickets per second, as fast as they can be written."""
    source = VectorSource(17)
    batches = [_tickets(first + at, source.take(_BATCH), of=_LATER) for at in range(0, 10 * _BATCH, _BATCH)]
    began = time.perf_counter()
    for batch in batches:
        index.write(batch)
    return sum(map(len, batches)) / (time.perf_counter() - began)


def _batches(points: int) -> Iterator[tuple[int, Vector]]:
    source = VectorSource(7)
    for first in range(0, points, _BATCH):
        yield first, source.take(_BATCH)[: points - first]


def _questions() -> Vector:
    return VectorSource(11).take(_QUESTIONS)


def _tickets(first: int, vectors: Vector, *, of: str = "tenant") -> Sequence[TicketPoints]:
    """Tickets of ten tenants, whose names begin with `of`."""
    rng = np.random.default_rng(first)
    return [_ticket(number, vector, _terms(rng, _TERMS), of) for number, vector in enumerate(vectors, first)]


def _terms(rng: np.random.Generator, count: int) -> SparseVector:
    """Distinct terms; the n-th most common of 200,000 is drawn with a probability proportional to 1 / (n + 50)."""
    drawn = _HEAD * ((1 + _VOCABULARY / _HEAD) ** rng.random(count) - 1)  # the inverse of the distribution
    ids = np.unique(drawn.astype(np.uint32))
    return SparseVector(ids, rng.uniform(0.5, 1.5, len(ids)).astype(np.float32))


def _ticket(number: int, vector: Vector, terms: SparseVector, of: str) -> TicketPoints:
    tenant, ticket = f"{of}-{number % _TENANTS}", f"T-{number}"
    head = point_id(tenant, ticket, 0)
    payload: Payload = {
        "tenant_id": tenant,
        "ticket_id": ticket,
        "head": head,
        "version": 1,
        "state": "live",
        "model": _MODEL,
        "chunk": 0,
        "chunks": 1,
        "status": "open",
        "channel": "email",
        "visibility": "public",
        "updated_at": number,
        "subject": "Card lost",
        "text": "I have lost my card, and I need another one. " * 4,
    }
    return TicketPoints(tenant, ticket, 1, (Point(id=head, vector=vector, payload=payload, terms=terms),))


def _open(settings: IndexSettings) -> EmbeddedIndex:
    index = open_index_for_writing(settings, dimension=DIMENSION, model=_MODEL)
    assert isinstance(index, EmbeddedIndex), "TICKETS_INDEX__URL isn't set"
    return index


def _rss_mib() -> float:
    """Memory of this process, with the files' pages that it has mapped and used."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["VmRSS"].split()[0]) / 1024


class _BySize(dict[str, Callable[[Job], Measured]]):
    """Maps a contender's name such as "10,000 points" to its function."""

    def __missing__(self, name: str) -> Callable[[Job], Measured]:
        return _grow(int(name.removesuffix(" points").replace(",", "")))


if __name__ == "__main__":
    answer(_BySize())
