"""A question is asked as a question, and redacted as a ticket is."""

from collections.abc import Sequence
from typing import Any

from core.protocols import TextKind
from core.records import SearchQuery, Vector
from models.run.hashing import HashingEmbedder
from runtime.searcher import IndexSearcher


class _Listening(HashingEmbedder):
    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[list[str], TextKind]] = []

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> Vector:
        self.heard.append((list(texts), kind))
        return super().embed(texts, kind)


class _Nothing:
    def search(self, _query: SearchQuery, _vector: Vector) -> list[Any]:
        return []


def test_the_model_is_told_that_it_is_a_question() -> None:
    """Some models put other words before a question than before a text."""
    embedder = _Listening()
    searcher = IndexSearcher(index=_Nothing(), embedder=embedder)  # type: ignore[arg-type]
    searcher.search("where is ada@example.com's card", SearchQuery(tenant_id="acme"))
    assert embedder.heard == [(["where is [EMAIL]'s card"], "query")]
