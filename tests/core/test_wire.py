"""The formats of the split stream's topics: decoding restores what was encoded, which was redacted."""

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
from core.wire.embedded import MODEL, decode_embedded, embedded_schema, encode_embedded
from core.wire.enriched import decode_enriched, encode_enriched, enriched_schema
from core.wire.format import BROKER_TIME, CONTENT_TYPE, OutgoingRecord, content_type
from models.run.hashing import HashingEmbedder
from operators.chunk import chunk
from operators.embed import embed
from operators.points import to_points
from tests.operators import samples

_DOCS: Final = Path(__file__).parents[2] / "docs"
EMBEDDER: Final = HashingEmbedder()
_chunk: Any = partial(chunk, tokenizer=EMBEDDER, max_tokens=32, overlap_tokens=4, max_passages=1_000)


def _received(sent: OutgoingRecord) -> Record:
    """A record as the next role reads it."""
    return Record(Origin("between", 3, 99), b"acme/1", sent.value, 77, sent.headers)


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
def test_an_enriched_ticket_gives_the_same_points_after_the_topic(ticket: Ticket) -> None:
    """A ticket that went through the topic gives the same ids, payloads, vectors, times and origin."""
    here = _enriched(ticket)
    there = decode_enriched(_received(encode_enriched(here)))
    one, other = _points(here), _points(there)
    assert [(p.id, p.payload) for p in one.points] == [(p.id, p.payload) for p in other.points]
    assert (one.version, one.event_ms, one.broker_ms) == (other.version, other.event_ms, other.broker_ms)
    assert there.passages == here.passages
    assert there.ticket.raw == here.ticket.raw == RawPosition(Origin("tickets.raw", 0, 7), 1_700_000_123_456)
    assert there.ticket.record.origin == Origin("between", 3, 99), "a dead letter names the record that was read"


@settings(max_examples=100, deadline=None)
@given(ticket=samples.tickets)
def test_points_survive_the_topic_to_the_last_bit(ticket: Ticket) -> None:
    """Encoding and decoding points loses nothing, so an index can be built from the topic alone."""
    points = _points(_enriched(ticket))
    found = decode_embedded(_received(encode_embedded(points, model="m")))
    assert (found.tenant_id, found.ticket_id, found.version) == (points.tenant_id, points.ticket_id, points.version)
    assert (found.event_ms, found.broker_ms) == (points.event_ms, points.broker_ms)
    assert [(p.id, p.payload) for p in found.points] == [(p.id, p.payload) for p in points.points]
    for one, other in zip(found.points, points.points, strict=True):
        np.testing.assert_array_equal(one.vector, other.vector)


def test_a_value_satisfies_its_schema() -> None:
    """Values of upserts and deletes satisfy the published schema; bytes are base64 in JSON."""
    for ticket in (samples.ticket(body="words " * 50, tags=("a",), attributes={"n": 1}), samples.ticket(deleted=True)):
        item = _enriched(ticket)
        for schema, record in (
            (enriched_schema(), encode_enriched(item)),
            (embedded_schema(), encode_embedded(_points(item), model="m")),
        ):
            value = json.loads(msgspec.json.encode(msgspec.msgpack.decode(record.value)))
            Draft202012Validator(schema).validate(value)


@pytest.mark.parametrize(("kind", "schema"), [("enriched", enriched_schema()), ("embedded", embedded_schema())])
def test_the_published_schema_is_that_of_the_types(kind: str, schema: dict[str, object]) -> None:
    """The files in docs/ are those that `make docs` writes."""
    assert json.loads((_DOCS / f"{kind}.schema.json").read_text()) == json.loads(json.dumps(schema))


def test_headers_hold_kind_model_first_seen_and_trace() -> None:
    """Only these headers are written; others of the producer's may hold anything, and are dropped."""
    ticket = msgspec.structs.replace(
        samples.ticket(body="x"),
        record=samples.raw(
            b"", traceparent=b"00-1-2-01", tracestate=b"a=b", baggage=b"user=ada@example.com", x=b"secret"
        ),
    )
    item = _enriched(ticket)
    assert dict(encode_enriched(item).headers) == {
        CONTENT_TYPE: content_type("enriched"),
        BROKER_TIME: b"1700000123456",
        "traceparent": b"00-1-2-01",
        "tracestate": b"a=b",
    }
    there = decode_enriched(_received(encode_enriched(item)))
    headers = dict(encode_embedded(_points(there), model="stamp").headers)
    assert headers == {
        CONTENT_TYPE: content_type("embedded"),
        BROKER_TIME: b"1700000123456",
        MODEL: b"stamp",
        "traceparent": b"00-1-2-01",
        "tracestate": b"a=b",
    }


def test_a_long_or_repeated_trace_is_not_forwarded() -> None:
    """A producer may write a hundred of these headers, or one of megabytes, which the next topic would refuse."""
    headers = (("tracestate", b"a" * 513), *(("traceparent", b"%d" % n) for n in range(99)))
    record = Record(Origin("tickets.raw", 0, 0), b"acme/1", b"", 0, headers)
    ticket = msgspec.structs.replace(samples.ticket(body="x"), record=record)
    assert encode_enriched(_enriched(ticket)).headers[2:] == (("traceparent", b"0"),)


def test_a_point_belongs_to_the_ticket_of_its_record() -> None:
    """A payload can't claim another tenant, ticket, version or place than that of the record."""
    message = encode_embedded(_points(_enriched(samples.ticket(body="x"))), model="m")
    value = msgspec.msgpack.decode(message.value)
    forged = {"tenant_id": "evil", "ticket_id": "2", "head": "h", "version": 9, "state": "deleted", "chunks": 5}
    value["points"][0]["payload"] |= {**forged, "chunk": 7}
    value["shared"] |= forged
    (point,) = decode_embedded(_received(OutgoingRecord(msgspec.msgpack.encode(value), message.headers))).points
    (sound,) = decode_embedded(_received(message)).points
    assert point.payload == sound.payload


def test_text_that_was_cut_is_not_in_the_topic() -> None:
    """Body and messages are not written: only the redacted passages are."""
    content = UpsertEvent(tenant_id="acme", ticket_id="1", created_at=0, updated_at=0, subject="s", body="BODY raw")
    ticket = Ticket(samples.raw(b"RAW bytes"), "acme", "1", 1, content)
    item = EnrichedTicket(ticket, passages=(Passage("clean", "s\nclean", "customer", public=True, message=-1),))
    for message in (encode_enriched(item), encode_embedded(_points(item), model="m")):
        assert b"BODY" not in message.value
        assert b"RAW" not in message.value


def test_a_record_of_an_earlier_version_is_read() -> None:
    """An enriched ticket without the times and places of its passages becomes points without them."""
    message = encode_enriched(_enriched(samples.ticket(body="x", messages=(samples.message("y"),))))
    value = msgspec.msgpack.decode(message.value)
    value.pop("messages")
    for passage in value["passages"]:
        del passage["at"], passage["span"]
    there = decode_enriched(_received(OutgoingRecord(msgspec.msgpack.encode(value), message.headers)))
    assert [one.text for one in there.passages] == ["x", "y"]
    for point in _points(there).points:
        assert not {"messages", "message_at", "start", "end"} & set(point.payload)


def test_a_value_of_deep_nesting_is_malformed() -> None:
    """A value that nests 60,000 levels deep is an error like any other, for workers and for repairs."""
    value = b"\x81\xa1x" + b"\x91" * 60_000 + b"\xc0"
    for decode in (decode_enriched, decode_embedded):
        with pytest.raises(ValueError, match="nests too deeply"):
            decode(_received(OutgoingRecord(value, ())))


def test_a_vector_with_a_partial_float_is_malformed() -> None:
    """A vector whose bytes are not a multiple of four is an error."""
    message = encode_embedded(_points(_enriched(samples.ticket(body="x"))), model="m")
    value = msgspec.msgpack.decode(message.value)
    value["points"][0]["vector"] = value["points"][0]["vector"][:-1]
    with pytest.raises(ValueError, match="buffer size"):
        decode_embedded(_received(OutgoingRecord(msgspec.msgpack.encode(value), message.headers)))
