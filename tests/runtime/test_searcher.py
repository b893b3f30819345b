"""The searcher redacts a question, and embeds it as a question."""

from collections.abc import Sequence
from typing import Any

from core.protocols import TextKind
from core.records import SearchQuery, Vector
from models.run.hashing import HashingEmbedder
from runtime.searcher import IndexSearcher


class _RecordingEmbedder(HashingEmbedder):
    def __init__(self) -> None:
        super().__init__()
        self.embedded: list[tuple[list[str], TextKind]] = []

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> Vector:
        self.embedded.append((list(texts), kind))
        return super().embed(texts, kind)


class _EmptyIndex:
    def search(self, _query: SearchQuery, _vector: Vector) -> list[Any]:
        return []


def test_a_question_is_redacted_and_embedded_as_a_query() -> None:
    """A question is redacted as a ticket's text is, and embedded with the kind `query`."""
    embedder = _RecordingEmbedder()
    searcher = IndexSearcher(index=_EmptyIndex(), embedder=embedder)  # type: ignore[arg-type]
    searcher.search("where is ada@example.com's card", SearchQuery(tenant_id="acme"))
    assert embedder.embedded == [(["where is [EMAIL]'s card"], "query")]
