"""Passages are embedded as vectors."""

from collections.abc import Sequence

import numpy as np
import pytest

from core.errors import RefusedTextsError
from core.protocols import TextKind
from core.records import EmbeddedTicket, EnrichedTicket, Passage, Rejected, Vector
from models.run.hashing import HashingEmbedder
from operators.embed import embed
from tests.operators.samples import ticket


def _ticket(*texts: str) -> EnrichedTicket:
    passages = tuple(Passage(text, text, "customer", public=True, message=-1) for text in texts)
    return EnrichedTicket(ticket(), passages=passages)


class _BadVectors(HashingEmbedder):
    """Returns a bad vector for the text `spoil me`, and records its texts."""

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
    """Vectors are in passage order, with the model's stamp."""
    (done,) = embed([_ticket("one", "two")], embedder=HashingEmbedder())
    assert isinstance(done, EmbeddedTicket)
    assert done.model == "hashing/1"
    np.testing.assert_array_equal(done.vectors, HashingEmbedder().embed(["one", "two"]))


def test_a_text_that_repeats_is_embedded_once() -> None:
    """A text that repeats within a batch is embedded once."""
    embedder = _BadVectors(0)
    first, second = embed([_ticket("same", "other"), _ticket("same")], embedder=embedder)
    assert embedder.asked == ["same", "other"]
    assert isinstance(first, EmbeddedTicket)
    assert isinstance(second, EmbeddedTicket)
    np.testing.assert_array_equal(first.vectors[0], second.vectors[0])


def test_a_call_of_the_model_has_a_bounded_number_of_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch of very many passages is embedded in several calls, and each passage gets its own vector."""
    calls: list[int] = []
    real = HashingEmbedder.embed

    def counting(self: HashingEmbedder, texts: Sequence[str], kind: TextKind = "passage") -> Vector:
        calls.append(len(texts))
        return real(self, texts, kind)

    monkeypatch.setattr(HashingEmbedder, "embed", counting)
    texts = [f"text {n}" for n in range(5_000)]
    (done,) = embed([_ticket(*texts)], embedder=HashingEmbedder())
    assert calls == [2_048, 2_048, 904]
    assert isinstance(done, EmbeddedTicket)
    np.testing.assert_array_equal(done.vectors, real(HashingEmbedder(), texts))


@pytest.mark.parametrize("bad", [0.0, float("nan"), float("inf")])
def test_a_bad_vector_rejects_its_ticket_only(bad: float) -> None:
    """A zero or non-finite vector rejects its ticket; the other tickets pass."""
    good, spoilt = embed([_ticket("fine"), _ticket("fine too", "spoil me")], embedder=_BadVectors(bad))
    assert isinstance(good, EmbeddedTicket)
    assert isinstance(spoilt, Rejected)
    assert (spoilt.stage, spoilt.code) == ("embed", "bad_vector")


def test_a_deleted_ticket_is_not_embedded() -> None:
    """A deleted ticket has no passages, so the model gets no text."""
    embedder = _BadVectors(0)
    (done,) = embed([EnrichedTicket(ticket(deleted=True))], embedder=embedder)
    assert isinstance(done, EmbeddedTicket)
    assert done.vectors.shape == (0, embedder.dimension)
    assert embedder.asked == []


class _Refusing(HashingEmbedder):
    """Refuses the texts that begin with `refuse`, one of them at a time."""

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> Vector:
        for text in texts:
            if text.startswith("refuse"):
                raise RefusedTextsError(f"reason {text[-1]}", [text])
        return super().embed(texts, kind)


def test_a_refused_text_rejects_its_tickets_only() -> None:
    """Every ticket with a text that the model refuses is rejected with the reason, and the others keep their places."""
    tickets = [_ticket("a"), _ticket("b", "refuse 1"), _ticket("refuse 2"), _ticket("c"), _ticket("refuse 1")]
    done = embed(tickets, embedder=_Refusing())
    assert [isinstance(item, Rejected) for item in done] == [False, True, True, False, True]
    reasons = [(item.stage, item.code, item.reason) for item in done if isinstance(item, Rejected)]
    assert reasons == [("embed", "refused_text", f"reason {n}") for n in (1, 2, 1)]
    last = done[3]
    assert isinstance(last, EmbeddedTicket)
    np.testing.assert_array_equal(last.vectors, HashingEmbedder().embed(["c"]))
