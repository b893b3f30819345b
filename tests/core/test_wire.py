"""The topics between the stages: what comes out is what went in, and nothing that was not redacted."""

import json
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from core.contract import UpsertEvent
from core.records import EnrichedTicket, Label, Origin, Passage, RawPosition, Record, Rejected, Ticket, TicketPoints
from core.wire import (
    CONTENT_TYPE,
    FIRST_SEEN,
    MODEL,
    Message,
    content_type,
    embedded_message,
    enriched_message,
    json_schema,
    read_embedded,
    read_enriched,
)
from models.run.hashing import HashingEmbedder
from operators.chunk import chunk
from operators.embed import embed
from operators.points import to_points
from tests.operators import samples

_DOCS: Final = Path(__file__).parents[2] / "docs"
EMBEDDER: Final = HashingEmbedder()
_chunk: Any = partial(chunk, tokenizer=EMBEDDER, max_tokens=32, overlap_tokens=4)


def _sent(message: Message) -> Record:
    """As the next stage reads it."""
    return Record(Origin("between", 3, 99), b"acme/1", message.value, 77, message.headers)


def _enriched(ticket: Ticket) -> EnrichedTicket:
    (made,) = _chunk([msgspec.structs.replace(samples.enriched(), ticket=ticket, language=Label("de", 0.75))])
    assert isinstance(made, EnrichedTicket)
    return made


def _points(item: EnrichedTicket) -> TicketPoints:
    (points,) = to_points(
        [msgspec.structs.replace(e) for e in embed([item], embedder=EMBEDDER) if not isinstance(e, Rejected)]
    )
    assert isinstance(points, TicketPoints)
    return points


@settings(max_examples=150, deadline=None)
@given(ticket=samples.tickets)
def test_an_enriched_ticket_gives_the_same_points_on_either_side(ticket: Ticket) -> None:
    """Ids, payloads, vectors, times and origin: the second stage can't tell that there was a topic between."""
    here = _enriched(ticket)
    there = read_enriched(_sent(enriched_message(here)))
    one, other = _points(here), _points(there)
    assert [(p.id, p.payload) for p in one.points] == [(p.id, p.payload) for p in other.points]
    assert (one.version, one.event_ms, one.broker_ms) == (other.version, other.event_ms, other.broker_ms)
    assert there.passages == here.passages
    assert there.ticket.raw == here.ticket.raw == RawPosition(Origin("tickets.raw", 0, 7), 1_700_000_123_456)
    assert there.ticket.record.origin == Origin("between", 3, 99), "a dead letter names the record that was read"


@settings(max_examples=100, deadline=None)
@given(ticket=samples.tickets)
def test_points_are_the_same_to_the_last_bit_on_the_other_side(ticket: Ticket) -> None:
    """What is in the topic is what the index has: it can be built from there alone."""
    points = _points(_enriched(ticket))
    found = read_embedded(_sent(embedded_message(points, model="m")))
    assert (found.tenant_id, found.ticket_id, found.version) == (points.tenant_id, points.ticket_id, points.version)
    assert (found.event_ms, found.broker_ms) == (points.event_ms, points.broker_ms)
    assert [(p.id, p.payload) for p in found.points] == [(p.id, p.payload) for p in points.points]
    for one, other in zip(found.points, points.points, strict=True):
        np.testing.assert_array_equal(one.vector, other.vector)


def test_a_value_is_what_its_schema_says() -> None:
    """Both kinds, whole and deleted; bytes stand in JSON as base64."""
    for ticket in (samples.ticket(body="words " * 50, tags=("a",), attributes={"n": 1}), samples.ticket(deleted=True)):
        item = _enriched(ticket)
        for kind, message in (
            ("enriched", enriched_message(item)),
            ("embedded", embedded_message(_points(item), model="m")),
        ):
            value = json.loads(msgspec.json.encode(msgspec.msgpack.decode(message.value)))
            Draft202012Validator(json_schema(kind)).validate(value)


@pytest.mark.parametrize("kind", ["enriched", "embedded"])
def test_the_published_schema_is_the_types(kind: str) -> None:
    """docs/ holds what `make docs` makes of the code."""
    assert json.loads((_DOCS / f"{kind}.schema.json").read_text()) == json.loads(json.dumps(json_schema(kind)))


def test_headers_say_kind_model_first_sight_and_trace() -> None:
    """And nothing else of what the producer sent: a header may hold anything."""
    ticket = msgspec.structs.replace(
        samples.ticket(body="x"),
        record=samples.raw(
            b"", traceparent=b"00-1-2-01", tracestate=b"a=b", baggage=b"user=ada@example.com", x=b"secret"
        ),
    )
    item = _enriched(ticket)
    assert dict(enriched_message(item).headers) == {
        CONTENT_TYPE: content_type("enriched"),
        FIRST_SEEN: b"1700000123456",
        "traceparent": b"00-1-2-01",
        "tracestate": b"a=b",
    }
    there = read_enriched(_sent(enriched_message(item)))
    headers = dict(embedded_message(_points(there), model="stamp").headers)
    assert headers == {
        CONTENT_TYPE: content_type("embedded"),
        FIRST_SEEN: b"1700000123456",
        MODEL: b"stamp",
        "traceparent": b"00-1-2-01",
        "tracestate": b"a=b",
    }


def test_what_was_cut_away_is_not_in_the_topic() -> None:
    """Body and messages stay behind: only passages go on, and they are redacted."""
    content = UpsertEvent(tenant_id="acme", ticket_id="1", created_at=0, updated_at=0, subject="s", body="BODY raw")
    ticket = Ticket(samples.raw(b"RAW bytes"), "acme", "1", 1, content)
    item = EnrichedTicket(ticket, passages=(Passage("clean", "s\nclean", "customer", public=True, message=-1),))
    for message in (enriched_message(item), embedded_message(_points(item), model="m")):
        assert b"BODY" not in message.value
        assert b"RAW" not in message.value


def test_a_vector_that_is_no_whole_number_of_floats_is_malformed() -> None:
    """The reader says so; it never makes up a vector."""
    message = embedded_message(_points(_enriched(samples.ticket(body="x"))), model="m")
    value = msgspec.msgpack.decode(message.value)
    value["points"][0]["vector"] = value["points"][0]["vector"][:-1]
    with pytest.raises(ValueError, match="buffer size"):
        read_embedded(_sent(Message(msgspec.msgpack.encode(value), message.headers)))
