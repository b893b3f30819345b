"""Measures writes and searches by the size of the index: one-passage tickets, synthetic vectors, ten tenants."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np

from bench.finding.index import best_passages
from bench.job import Clock, Job, Measured, Skipped, answer
from connectors.qdrant.open import open_index_for_writing
from connectors.qdrant.policy import VersionedIndex
from core.environment import load_settings
from core.identity import point_id
from core.index import SearchQuery
from core.payload import Payload
from core.records import Point, TicketPoints, Vector

_DIMENSION: Final = 384
_TENANTS: Final = 10
_BATCH: Final = 256
_MODEL: Final = "bench/1"
#: Number of clusters: vectors of real texts are clustered by topic.
_CLUSTERS: Final = 100
_SPREAD: Final = 0.6
_SEARCHES: Final = 200
_TIMED: Final = 10 * _BATCH


def _embedded(job: Job) -> Measured:
    return _measure(job.tickets)


def _server(job: Job) -> Measured:
    url = os.environ.get("TICKETS_TEST_QDRANT_URL")
    if not url:
        raise Skipped("TICKETS_TEST_QDRANT_URL names no server")
    os.environ |= {"TICKETS_INDEX__URL": url, "TICKETS_INDEX__COLLECTION": f"bench-{time.time_ns()}"}
    return _measure(job.tickets)


def _measure(points: int) -> Measured:
    """Fill the index, then time the last batches, written as the pipeline does, and searches in each tenant in turn."""
    settings, clock, made = load_settings(), Clock(), _tickets()
    index = open_index_for_writing(settings.index, dimension=_DIMENSION, model=_MODEL)
    for _ in range(0, max(0, points - _TIMED), _BATCH):
        index.write(next(made))
    timed = [next(made) for _ in range(0, _TIMED, _BATCH)]
    with clock.measure():
        for batch in timed:
            index.write(batch)
    writes = _TIMED / clock.seconds
    found = clock.measured(tickets=_TIMED)
    answers = _search(index)
    size = index.size().points
    index.close()
    began = time.perf_counter()
    open_index_for_writing(settings.index, dimension=_DIMENSION, model=_MODEL).close()
    opening = time.perf_counter() - began
    figures: dict[str, float] = {
        "points": size,
        "writes": writes,
        "searches": 1000 / float(np.mean(answers)),
        "p50": float(np.percentile(answers, 50)),
        "p95": float(np.percentile(answers, 95)),
        "open": opening,
        "mib": _size(settings.index.path) / 2**20,
    }
    return Measured(
        found.tickets,
        0,
        0,
        found.seconds,
        found.cpu_seconds,
        found.rss_mib,
        {n: round(f, 3) for n, f in figures.items()},
    )


def _search(index: VersionedIndex) -> list[float]:
    """Search, and return each latency in milliseconds."""
    rng, answers = np.random.default_rng(11), []
    clusters = _clusters()
    for number in range(_SEARCHES):
        query = SearchQuery(tenant_id=f"tenant-{number % _TENANTS}")
        vector = _near(clusters[rng.integers(_CLUSTERS, size=1)], rng)[0]
        began = time.perf_counter()
        assert len(best_passages(index.candidates(query, vector, None))) >= query.limit
        answers.append((time.perf_counter() - began) * 1000)
    return answers


def _tickets() -> Iterator[list[TicketPoints]]:
    rng, clusters, number = np.random.default_rng(7), _clusters(), 0
    while True:
        vectors = _near(clusters[rng.integers(_CLUSTERS, size=_BATCH)], rng)
        yield [_ticket(number + at, vector) for at, vector in enumerate(vectors)]
        number += _BATCH


def _ticket(number: int, vector: Vector) -> TicketPoints:
    tenant, ticket = f"tenant-{number % _TENANTS}", f"T-{number}"
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
    return TicketPoints(tenant, ticket, 1, (Point(id=head, vector=vector, payload=payload),))


def _clusters() -> Vector:
    return np.random.default_rng(3).standard_normal((_CLUSTERS, _DIMENSION), dtype=np.float32)


def _near(centres: Vector, rng: np.random.Generator) -> Vector:
    vectors = centres + _SPREAD * rng.standard_normal(centres.shape, dtype=np.float32)
    found: Vector = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return found


def _size(folder: Path) -> int:
    """Allocated bytes on disk, without holes of sparse files."""
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())


CONTENDERS: Final[dict[str, Callable[[Job], Measured]]] = {"embedded": _embedded, "server": _server}

if __name__ == "__main__":
    answer(CONTENDERS)
