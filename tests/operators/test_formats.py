"""Values that producers write instead of a plain event are read, or rejected with the name of their format."""

import base64
import gzip
import json
import zlib
from typing import Any, Final

import msgspec
import pytest

from core.records import Rejected, Ticket
from core.settings import ContractSettings
from operators.decode import decode
from operators.formats import other_format, unwrap
from tests.operators.samples import event, raw

_EVENT: Final = msgspec.json.encode(event())
_GLUE: Final = bytes(range(16))


def _decode(value: bytes) -> Ticket | Rejected:
    return decode([raw(value)], settings=ContractSettings())[0]


def _json(**found: Any) -> bytes:
    return msgspec.json.encode(found)


READ: Final = {
    "Confluent's wire format": b"\0\0\0\0\5" + _EVENT,
    "a schema id that is no UTF-8": b"\0\0\0\0\xc8" + _EVENT,
    "a schema id that looks like JSON": b"\0{[{[" + _EVENT,
    "white space behind the schema id": b"\0\0\0\0\5\n " + _EVENT,
    "Glue's format": b"\3\0" + _GLUE + _EVENT,
    "Connect's schema and payload": _json(schema={"type": "struct"}, payload=event()),
    "Debezium's insert": _json(before=None, after=event(), op="c", ts_ms=1, source={"db": "x"}),
    "Debezium's update": _json(before=event(subject="Old"), after=event(), op="u"),
    "Debezium's snapshot, with a schema": _json(schema=None, payload={"after": event(), "op": "r"}),
    "Debezium behind a schema id": b"\0\0\0\0\5" + _json(before=None, after=event(), op="c"),
    "a CloudEvent": _json(specversion="1.0", id="1", type="ticket", source="/x", data=event()),
}


@pytest.mark.parametrize("kind", READ)
def test_an_event_inside_is_read(kind: str) -> None:
    """The event is the one inside, and the record keeps its bytes."""
    done = _decode(READ[kind])
    assert isinstance(done, Ticket), done
    assert done.content is not None
    assert (done.version, done.content.subject, done.record.value) == (3, "Card lost", READ[kind])


REJECTED: Final = {
    "Avro behind a schema id": (b"\0\0\0\0\xc8\x08acme\x02", "wire_format", "with schema id 200; write JSON"),
    "Protobuf behind a schema id": (b"\0\0\1\x86\xa1\0\x0a\x04acme", "wire_format", "with schema id 100001"),
    "a schema id alone": (b"\0\0\0\0\5", "bad_json", "not JSON"),
    "broken JSON behind a schema id": (b"\0\0\0\0\xc8{", "bad_json", "not JSON"),
    "a JSON array behind a schema id": (b"\0\0\0\0\5[1]", "other_format", "a JSON array"),
    "no event behind a schema id": (b'\0\0\0\0\5{"op":"upsert"}', "bad_field", "missing required field `tenant_id`"),
    "Glue, compressed": (
        b"\3\5" + _GLUE + zlib.compress(_EVENT), "wire_format", "00010203-0405-0607-0809-0a0b0c0d0e0f"),
    "Glue, Avro": (b"\3\0" + _GLUE + b"\x08acme", "wire_format", "Avro or Protobuf in the format of AWS Glue"),
    "Debezium's insert of a row": (
        _json(before=None, after={"id": 1}, op="c", ts_ms=1), "envelope",
        "Debezium's envelope of an insert, and its after is not a ticket event; unwrap it with ExtractNewRecordState"),
    "Debezium with a schema": (_json(schema=None, payload={"after": {"id": 1}, "op": "u"}), "envelope", "an update"),
    "Debezium's delete": (
        _json(before=event(), after=None, op="d"), "envelope", "write a delete event or a null value"),
    "Debezium's truncate": (_json(op="t", source={}), "envelope", "Debezium's envelope of a truncate"),
    "Debezium's row with a fault": (
        _json(after=event(version=-1), op="c"), "envelope", "(version: expected `int` >= 0)"),
    "Connect's tombstone": (_json(schema=None, payload=None), "envelope", "the payload of Kafka Connect's schema and"),
    "Connect's text": (_json(schema={"type": "string"}, payload="{}"), "envelope", "is not a ticket event"),
    "a CloudEvent of another kind": (_json(specversion="1.0", data={"id": 1}), "envelope", "the data of a CloudEvent"),
    "a CloudEvent in Base64": (_json(specversion="1.0", data_base64="e30="), "envelope", "the data of a CloudEvent"),
    "an event of the next version in an envelope": (
        _json(op="c", after=event(schema_version=2)), "unknown_schema", "2"),
    "a number beyond 64 bits in an envelope": (
        b'{"op":"c","after":{"version":' + b"9" * 30 + b"}}", "envelope", "event"),
    "gzip": (gzip.compress(_EVENT), "other_format", "the value is gzip, not a JSON object; send it uncompressed"),
    "Zstandard": (b"\x28\xb5\x2f\xfd\x24\x0f", "other_format", "Zstandard"),
    "LZ4": (b"\x04\x22\x4d\x18\x60\x40", "other_format", "LZ4"),
    "zlib": (zlib.compress(_EVENT), "other_format", "zlib"),
    "Snappy": (b"\x82SNAPPY\0\0", "other_format", "Snappy"),
    "an Avro file": (b"Obj\x01\x04", "other_format", "an Avro file"),
    "a Parquet file": (b"PAR1\x15", "other_format", "a Parquet file"),
    "a Java object": (b"\xac\xed\x00\x05sr", "other_format", "a serialized Java object"),
    "MessagePack": (msgspec.msgpack.encode(event()), "other_format", "MessagePack"),
    "MessagePack, many fields": (msgspec.msgpack.encode({str(n): n for n in range(20)}), "other_format", "MessagePack"),
    "CBOR": (b"\xa2\x62op\x66upsert\x61v\x01", "other_format", "CBOR"),
    "UTF-16": (_EVENT.decode().encode("utf-16"), "other_format", "UTF-16, not a JSON object; encode it as UTF-8"),
    "UTF-16 without a mark": (_EVENT.decode().encode("utf-16-le"), "other_format", "UTF-16"),
    "UTF-16, big endian": (_EVENT.decode().encode("utf-16-be"), "other_format", "UTF-16"),
    "a byte order mark": (b"\xef\xbb\xbf" + _EVENT, "other_format", "JSON behind a byte order mark"),
    "XML": (b' <?xml version="1.0"?><ticket/>', "other_format", "XML or HTML"),
    "an array": (b"[" + _EVENT + b"]", "other_format", "a JSON array, not a JSON object; write one record per event"),
    "an array of nothing": (b"[]", "other_format", "a JSON array"),
    "an event serialized twice": (json.dumps(_EVENT.decode()).encode(), "other_format", "serialized twice"),
    "several events": (_EVENT + b"\n" + _EVENT, "other_format", "several JSON objects; write one record per event"),
    "Base64": (base64.b64encode(_EVENT), "other_format", "Base64"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REJECTED)
def test_another_format_is_named(kind: str) -> None:
    """The code and the reason say what the value is and what to do, and quote no text."""
    value, code, words = REJECTED[kind]
    done = _decode(value)
    assert isinstance(done, Rejected), done
    assert (done.code, done.record.value) == (code, value)
    assert words in done.reason
    assert "Card" not in done.reason
    assert len(done.reason) < 300


@pytest.mark.parametrize(
    "value", [b"", b"x", b"eyJ", b"eyJ or nothing", b"null", b"{'op': 'upsert'}", b"op,tenant_id", "Größe".encode()]
)
def test_what_is_not_recognised_has_no_name(value: bytes) -> None:
    """A value that matches no known format has no name."""
    assert other_format(value) is None


@pytest.mark.parametrize(
    "found", [{"op": "c"}, {"op": "upsert", "after": 1}, {"op": ["c"], "after": 1}, {"payload": 1}, {"specversion": 1}]
)
def test_a_likeness_is_not_an_envelope(found: dict[str, Any]) -> None:
    """An event with one field of an envelope's is judged by its own fields."""
    assert unwrap(found) is None


def test_the_longest_reason_fits_a_header() -> None:
    """The reason for a fault deep inside an envelope is shorter than 300 characters."""
    late = event(messages=[{"author": "agent", "body": "", "created_at": 1.5}])
    done = _decode(_json(schema=None, payload={"op": "r", "after": late}))
    assert isinstance(done, Rejected)
    assert "messages[...].created_at: expected" in done.reason or "messages[0].created_at: expected" in done.reason
    assert len(done.reason) < 300
