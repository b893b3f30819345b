"""Invalid records of the topics between the roles are rejected with a reason."""

import msgspec
import pytest

from core.records import Origin, Record, Rejected
from core.wire.embedded import encode_embedded
from core.wire.enriched import encode_enriched
from core.wire.format import content_type
from operators.receive import receive_embedded, receive_enriched
from tests.fakes import points
from tests.operators import samples

_ENRICHED = encode_enriched(samples.enriched(body="x"))
_GIVEN = (("content-type", content_type("enriched")),)


def _record(value: bytes | None, headers: tuple[tuple[str, bytes], ...] = _GIVEN, key: bytes = b"acme/1") -> Record:
    return Record(Origin("tickets.enriched", 0, 0), key, value, 0, headers)


@pytest.mark.parametrize(
    ("record", "code", "reason"),
    [
        (_record(_ENRICHED.value, ()), "unknown_format", "content-type is missing; expected application/vnd"),
        (
            _record(_ENRICHED.value, (("content-type", b"ada@example.com"),)),
            "unknown_format",
            "content-type is another;",
        ),
        (_record(_ENRICHED.value, (("content-type", content_type("embedded")),)), "unknown_format", "enriched.v1"),
        (_record(None), "bad_message", "not the MessagePack map"),
        (_record(b"{}"), "bad_message", "not the MessagePack map"),
        (_record(_ENRICHED.value[:-4]), "bad_message", "not the MessagePack map"),
        (_record(_ENRICHED.value, key=b"acme/2"), "bad_key", "not tenant_id/ticket_id"),
    ],
)
def test_an_invalid_record_is_rejected_with_a_reason(record: Record, code: str, reason: str) -> None:
    """An invalid record is rejected with the stage of the role that reads it, and a reason without its text."""
    (found,) = receive_enriched([record])
    assert isinstance(found, Rejected)
    assert (found.stage, found.code) == ("embed", code)
    assert reason in found.reason
    assert "ada" not in found.reason, "a reason quotes nothing of a record"
    assert found.record is record


@pytest.mark.parametrize(
    ("field", "value"), [("tenant_id", ""), ("ticket_id", "a\x1fb"), ("version", -1), ("version", 2**53)]
)
def test_ids_that_no_ticket_has_are_rejected(field: str, value: str | int) -> None:
    """Under the empty tenant the index keeps its own notes, which a ticket of that name would make unreadable."""
    fields = msgspec.msgpack.decode(_ENRICHED.value) | {field: value}
    key = f"{fields['tenant_id']}/{fields['ticket_id']}".encode()
    (found,) = receive_enriched([_record(msgspec.msgpack.encode(fields), key=key)])
    assert isinstance(found, Rejected)
    assert (found.stage, found.code) == ("embed", "bad_message")


def test_a_partial_float_is_rejected() -> None:
    """A vector that ends inside a float makes the record malformed."""
    good = encode_embedded(points(), model="m")
    record = Record(Origin("tickets.embedded", 0, 0), b"acme/1", good.value[:-1], 0, good.headers)
    (found,) = receive_embedded([record])
    assert isinstance(found, Rejected)
    assert (found.stage, found.code) == ("index", "bad_message")


def test_vectors_of_another_model_are_rejected() -> None:
    """If a model is given, records of another model are rejected, so a rebuilt index has vectors of one model."""
    good = encode_embedded(points(), model="m")
    record = Record(Origin("tickets.embedded", 0, 0), b"acme/1", good.value, 0, good.headers)
    assert not isinstance(receive_embedded([record], model="m")[0], Rejected)
    assert not isinstance(receive_embedded([record])[0], Rejected)
    (found,) = receive_embedded([record], model="n")
    assert isinstance(found, Rejected)
    assert found.code == "other_model"
