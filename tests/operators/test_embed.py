"""Passages to vectors."""

from collections.abc import Sequence

import numpy as np
import pytest

from core.protocols import TextKind
from core.records import EmbeddedTicket, EnrichedTicket, Passage, Rejected, Vector
from models.run.hashing import HashingEmbedder
from operators.embed import embed
from tests.operators.samples import ticket


def _ticket(*texts: str) -> EnrichedTicket:
    passages = tuple(Passage(text, text, "customer", public=True, message=-1) for text in texts)
    return EnrichedTicket(ticket(), passages=passages)


class _Spoilt(HashingEmbedder):
    """Gives a bad vector for one text."""

    def __init__(self, bad: float) -> None:
        super().__init__()
        self.bad = bad
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> Vector:
        self.asked += texts
        found = super().embed(texts, kind)
        for row, text in zip(found, texts, strict=True):
            if text == "spoil me":
                row[:] = self.bad
        return found


def test_each_passage_gets_its_own_vector() -> None:
    """In order, under the model's stamp."""
    (done,) = embed([_ticket("one", "two")], embedder=HashingEmbedder())
    assert isinstance(done, EmbeddedTicket)
    assert done.model == "hashing/1"
    np.testing.assert_array_equal(done.vectors, HashingEmbedder().embed(["one", "two"]))


def test_a_text_that_repeats_is_embedded_once() -> None:
    """Across the tickets of a batch."""
    embedder = _Spoilt(0)
    first, second = embed([_ticket("same", "other"), _ticket("same")], embedder=embedder)
    assert embedder.asked == ["same", "other"]
    assert isinstance(first, EmbeddedTicket)
    assert isinstance(second, EmbeddedTicket)
    np.testing.assert_array_equal(first.vectors[0], second.vectors[0])


@pytest.mark.parametrize("bad", [0.0, float("nan"), float("inf")])
def test_a_vector_that_is_none_rejects_its_ticket_alone(bad: float) -> None:
    """Zero, NaN and infinity never come further, and the others do."""
    good, spoilt = embed([_ticket("fine"), _ticket("fine too", "spoil me")], embedder=_Spoilt(bad))
    assert isinstance(good, EmbeddedTicket)
    assert isinstance(spoilt, Rejected)
    assert (spoilt.stage, spoilt.code) == ("embed", "bad_vector")


def test_a_deleted_ticket_asks_the_model_nothing() -> None:
    """It has no passages."""
    embedder = _Spoilt(0)
    (done,) = embed([EnrichedTicket(ticket(deleted=True))], embedder=embedder)
    assert isinstance(done, EmbeddedTicket)
    assert done.vectors.shape == (0, embedder.dimension)
    assert embedder.asked == []
