"""Measures of a ranking: pure functions of the ids found and the grades of the relevant ones."""

from collections.abc import Mapping, Sequence
from math import log2
from typing import Final

#: Number of ranks that count.
DEPTH: Final = 10


def reciprocal_rank(found: Sequence[str], grades: Mapping[str, int], depth: int = DEPTH) -> float:
    """1 divided by the rank of the first relevant ticket among the first `depth`; 0 if there is none."""
    return next((1 / rank for rank, ticket_id in enumerate(found[:depth], 1) if ticket_id in grades), 0.0)


def recall(found: Sequence[str], grades: Mapping[str, int], depth: int = DEPTH) -> float:
    """Share of the relevant tickets, or of `depth` of them if there are more, that are among the first `depth`."""
    return len(set(found[:depth]) & grades.keys()) / min(len(grades), depth)


def hit(found: Sequence[str], grades: Mapping[str, int]) -> float:
    """1 if the first ticket is relevant, else 0."""
    return float(bool(found) and found[0] in grades)


def ndcg(found: Sequence[str], grades: Mapping[str, int], depth: int = DEPTH) -> float:
    """Normalised discounted cumulative gain, with gains of 2^grade - 1 (Burges et al. 2005)."""
    gains = [2 ** grades.get(ticket_id, 0) - 1 for ticket_id in found[:depth]]
    best = sorted((2**grade - 1 for grade in grades.values()), reverse=True)[:depth]
    return _discounted(gains) / _discounted(best)


def _discounted(gains: Sequence[float]) -> float:
    return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, 1))
