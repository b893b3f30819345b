"""Embedded tickets become points of the index."""

from typing import Any

from core.identity import point_id
from core.records import EmbeddedTicket, EnrichedTicket, Label, TicketPoints
from models.run.hashing import HashingEmbedder
from operators.chunk import chunk
from operators.embed import embed
from operators.points import to_points
from tests.operators.samples import message, ticket

EMBEDDER = HashingEmbedder()


def _points(
    *, language: Label | None = None, category: Label | None = None, given: str | None = None, **content: Any
) -> TicketPoints:
    enriched = EnrichedTicket(ticket(category=given, **content), language=language, customer={"plan": "gold"})
    (chunked,) = chunk([enriched], tokenizer=EMBEDDER, max_tokens=64, overlap_tokens=4, max_passages=1_000)
    (embedded,) = embed([chunked], embedder=EMBEDDER)  # type: ignore[list-item]
    assert isinstance(embedded, EmbeddedTicket)
    done = EmbeddedTicket(embedded.enriched, embedded.vectors, embedded.model, category)
    (points,) = to_points([done])
    assert isinstance(points, TicketPoints)
    return points


def test_every_point_has_its_ticket_model_contract_and_origin() -> None:
    """The payload of every point has version, chunk, model, contract and origin; chunk 0 is the head."""
    found = _points(subject="Card", body="Lost.", messages=(message("note", public=False),))
    assert [p.id for p in found.points] == [point_id("acme", "1", 0), point_id("acme", "1", 1)]
    for number, point in enumerate(found.points):
        stamped = {name: point.payload[name] for name in ("version", "chunk", "chunks", "model", "contract", "origin")}
        assert stamped == {
            "version": 3,
            "chunk": number,
            "chunks": 2,
            "model": "hashing/1",
            "contract": 1,
            "origin": "tickets.raw/0/7",
        }
        assert point.payload["head"] == found.points[0].id
        assert point.payload["customer"] == {"plan": "gold"}
    assert [p.payload["visibility"] for p in found.points] == ["public", "internal"]
    assert (found.event_ms, found.broker_ms) == (5_000, 1_700_000_123_456)


def test_absent_fields_are_omitted() -> None:
    """Absent fields are omitted from the payload, not null."""
    payload = _points(body="x").points[0].payload
    assert not {"category", "priority", "language", "customer_id", "attributes"} & set(payload)
    assert None not in payload.values()


def test_what_every_point_repeats_is_bounded() -> None:
    """A point has the first thousand characters of the subject, and those attributes that fit into 8 KiB."""
    attributes = {f"a{n}": "x" * 1_000 for n in range(20)}
    found = _points(subject="s" * 5_000, body="x", attributes=attributes)
    payload = found.points[-1].payload
    assert payload["subject"] == "s" * 1_000
    assert payload["attributes"] == {f"a{n}": "x" * 1_000 for n in range(8)}
    assert found.left_out == 12
    few = {"plan": "gold", "seats": 7}
    assert _points(body="x", attributes=few).points[0].payload["attributes"] == few
    assert _points(body="x", attributes=few).left_out == 0
    assert "attributes" not in _points(body="x", attributes={"a": "x" * 9_000}).points[0].payload


def test_the_producers_label_takes_precedence() -> None:
    """A producer's label takes precedence over a predicted one; only predicted ones have a confidence."""
    ours = _points(body="x", category=Label("card", 0.81234), language=Label("en", 0.9)).points[0].payload
    assert (ours["category"], ours["category_confidence"], ours["language"]) == ("card", 0.8123, "en")
    theirs = _points(given="billing", body="x", category=Label("card", 0.8)).points[0].payload
    assert theirs["category"] == "billing"
    assert "category_confidence" not in theirs


def test_a_deleted_ticket_has_no_points() -> None:
    """A deleted ticket passes without points; the index writes the tombstone."""
    found = to_points([EmbeddedTicket(EnrichedTicket(ticket(deleted=True)), EMBEDDER.embed([]), EMBEDDER.stamp)])[0]
    assert isinstance(found, TicketPoints)
    assert found.points == ()
    assert found.broker_ms == 1_700_000_123_456
