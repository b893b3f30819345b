"""The vector cache."""

import threading
from collections.abc import Sequence

import numpy as np

from core.protocols import TextKind
from core.records import Vector
from models.run.cache import CachingEmbedder
from models.run.hashing import HashingEmbedder


class _Counting(HashingEmbedder):
    """Records the texts that it embeds."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.kinds: list[TextKind] = []

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> Vector:
        self.asked += texts
        self.kinds.append(kind)
        return super().embed(texts, kind)


def _cached(texts: int = 10) -> tuple[CachingEmbedder, _Counting, list[tuple[int, int]]]:
    model = _Counting()
    told: list[tuple[int, int]] = []
    return CachingEmbedder(model, texts=texts, on_lookup=lambda *counts: told.append(counts)), model, told


def test_a_text_seen_before_is_not_embedded_again() -> None:
    """A cached text is not embedded again, and its vector is in its own row."""
    cached, model, told = _cached()
    first = cached.embed(["a", "b"])
    again = cached.embed(["b", "c", "a"])
    assert model.asked == ["a", "b", "c"]
    assert told == [(0, 2), (2, 1)]
    np.testing.assert_array_equal(again[[2, 0]], first)
    np.testing.assert_array_equal(again, HashingEmbedder().embed(["b", "c", "a"]))


def test_the_least_recently_used_vector_is_evicted() -> None:
    """The cache keeps the most recently used vectors, up to its size."""
    cached, model, _told = _cached(texts=2)
    for texts in (["a"], ["b"], ["a"], ["c"], ["a"], ["b"]):
        cached.embed(texts)
    assert model.asked == ["a", "b", "c", "b"]


def test_returned_vectors_may_be_modified() -> None:
    """Changing a returned vector doesn't change the cached one."""
    cached, _model, _told = _cached()
    cached.embed(["a"])[:] = 7
    np.testing.assert_array_equal(cached.embed(["a"]), HashingEmbedder().embed(["a"]))
    cached.embed(["a"])[:] = 7
    np.testing.assert_array_equal(cached.embed(["a"]), HashingEmbedder().embed(["a"]))


def test_it_forwards_the_models_properties() -> None:
    """Stamp, dimension, token limit and spans are the wrapped embedder's."""
    cached, model, _told = _cached()
    assert (cached.stamp, cached.dimension, cached.max_tokens) == (model.stamp, model.dimension, model.max_tokens)
    assert cached.spans(["a b"]) == model.spans(["a b"])
    assert cached.embed([]).shape == (0, model.dimension)


def test_it_is_thread_safe() -> None:
    """Threads that share a cache all get the right vectors."""
    cached, _model, _told = _cached(texts=5)
    texts = [str(n) for n in range(20)]
    wanted = HashingEmbedder().embed(texts)
    right: list[bool] = []

    def work() -> None:
        right.extend(np.array_equal(cached.embed(texts), wanted) for _ in range(30))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert right == [True] * 120


def test_a_query_is_not_answered_from_the_cache() -> None:
    """A model may embed the same words differently as a query, so queries are always embedded."""
    cached, model, _told = _cached()
    cached.embed(["a"])
    cached.embed(["a"], "query")
    cached.embed(["a"], "query")
    assert model.kinds == ["passage", "query", "query"]
