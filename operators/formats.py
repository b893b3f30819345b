"""Recognises values in other formats than a plain ticket event, and unwraps framed and enveloped events."""

import re
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from msgspec import Struct

#: First bytes of values that a schema registry's serializer frames. No JSON begins with them.
FRAMED: Final = (b"\0", b"\3")
#: Confluent's wire format: magic byte 0 and a schema id of four bytes, big endian.
_CONFLUENT_HEADER: Final = 5
#: AWS Glue's: version 3, a byte for the compression (0 none, 5 zlib), and the UUID of the schema's version.
_GLUE_HEADER: Final = 18
_GLUE_COMPRESSIONS: Final = b"\0\5"
_GLUE_PLAIN: Final = 0

#: An object in UTF-16, big endian, without a byte order mark.
_UTF16: Final = b"\0{\0"
_COMPRESSED: Final = "send it uncompressed; the producer's compression.type compresses whole batches"
_WRITE_JSON: Final = "write the event as JSON"
#: First bytes, the format's name, and advice.
_SIGNATURES: Final = (
    (b"\x1f\x8b", "gzip", _COMPRESSED),
    (b"\x28\xb5\x2f\xfd", "Zstandard", _COMPRESSED),
    (b"\x04\x22\x4d\x18", "LZ4", _COMPRESSED),
    (b"\xff\x06\x00\x00sNaPpY", "Snappy", _COMPRESSED),
    (b"\x82SNAPPY\x00", "Snappy", _COMPRESSED),
    (b"\x78\x9c", "zlib", _COMPRESSED),
    (b"\x78\xda", "zlib", _COMPRESSED),
    (b"Obj\x01", "an Avro file", _WRITE_JSON),
    (b"PAR1", "a Parquet file", _WRITE_JSON),
    (b"\xac\xed\x00\x05", "a serialized Java object", _WRITE_JSON),
    (b"\xff\xfe", "UTF-16", "encode it as UTF-8"),
    (b"\xfe\xff", "UTF-16", "encode it as UTF-8"),
    (b"{\0", "UTF-16", "encode it as UTF-8"),
    (_UTF16, "UTF-16", "encode it as UTF-8"),
    (b"\xef\xbb\xbf", "JSON behind a byte order mark", "write it without one"),
    (b"<", "XML or HTML", _WRITE_JSON),
    (b"[", "a JSON array", "write one record per event"),
    (b'"', "a JSON string", "write the object itself; it may have been serialized twice"),
)
#: A map of at least one text, as MessagePack and CBOR begin.
_MESSAGE_PACK: Final = re.compile(rb"(?:[\x81-\x8f]|\xde..|\xdf....)[\xa1-\xbf\xd9]", re.DOTALL)
_CBOR: Final = re.compile(rb"(?:[\xa1-\xb7]|\xb8.|\xb9..|\xbf)[\x61-\x77\x78]", re.DOTALL)
#: An object in Base64.
_BASE64: Final = re.compile(rb"e[yw][A-Za-z0-9+/_-]{6,}+={0,2}\s*")

#: Debezium's op to the change it stands for.
_CHANGES: Final = {
    "c": "an insert", "r": "a snapshot's row", "u": "an update", "d": "a delete", "t": "a truncate", "m": "a message",
}  # fmt: skip

_NOT_AN_EVENT: Final = "is not a ticket event"


class Framed(Struct, frozen=True):
    """The payload of a framed value.

    Attributes:
        reason: for rejecting the value, unless its payload is JSON.
    """

    payload: bytes
    reason: str

    @property
    def is_json(self) -> bool:
        """Whether the payload begins like JSON. Avro and Protobuf don't begin with either bracket."""
        return self.payload.lstrip()[:1] in (b"{", b"[")


class Wrapped(Struct, frozen=True):
    """The content of an envelope, and the `reason` to reject the value unless the content is an event."""

    inner: object
    reason: str


def unframe(value: bytes) -> Framed | None:
    """Take a schema registry's header off a value that begins with `FRAMED`; None if there is none."""
    if value[0] == 0 and len(value) > _CONFLUENT_HEADER and not value.startswith(_UTF16):
        schema = int.from_bytes(value[1:_CONFLUENT_HEADER], "big")
        return Framed(
            value[_CONFLUENT_HEADER:],
            f"the value is Avro or Protobuf in Confluent's wire format, with schema id {schema}; write JSON, which is "
            "read behind a schema id too",
        )
    if len(value) > _GLUE_HEADER and value[0] == FRAMED[1][0] and value[1] in _GLUE_COMPRESSIONS:
        schema_version, compressed = UUID(bytes=value[2:_GLUE_HEADER]), value[1] != _GLUE_PLAIN
        return Framed(
            b"" if compressed else value[_GLUE_HEADER:],
            f"the value is {'compressed' if compressed else 'Avro or Protobuf'} in the format of AWS Glue's schema "
            f"registry, with schema version {schema_version}; write JSON uncompressed, which is read behind it too",
        )
    return None


def other_format(value: bytes) -> str | None:
    """Name the format of a value that isn't a JSON object, and say what to do; None if it isn't recognised."""
    start = value[:64].lstrip()
    for signature, name, advice in _SIGNATURES:
        if start.startswith(signature):
            return f"the value is {name}, not a JSON object; {advice}"
    for pattern, name in ((_MESSAGE_PACK, "MessagePack"), (_CBOR, "CBOR")):
        if pattern.match(value):
            return f"the value is {name}, not a JSON object; {_WRITE_JSON}"
    if _BASE64.fullmatch(value):
        return "the value is Base64, not a JSON object; write the object itself"
    return None


def unwrap(found: Mapping[str, object]) -> Wrapped | None:
    """Take the content out of an envelope: Kafka Connect's, Debezium's or CloudEvents'. None if it isn't one."""
    if {"schema", "payload"} == found.keys():
        payload = found["payload"]
        within = unwrap(payload) if isinstance(payload, dict) else None
        return within or Wrapped(payload, f"the payload of Kafka Connect's schema and payload {_NOT_AN_EVENT}")
    op = found.get("op")
    change = _CHANGES.get(op) if isinstance(op, str) else None
    if change and ("after" in found or "before" in found or op in ("t", "m")):
        advice = "write a delete event or a null value" if op == "d" else "unwrap it with ExtractNewRecordState"
        return Wrapped(
            found.get("after"), f"the value is Debezium's envelope of {change}, and its after {_NOT_AN_EVENT}; {advice}"
        )
    if isinstance(found.get("specversion"), str) and ("data" in found or "data_base64" in found):
        return Wrapped(found.get("data"), f"the data of a CloudEvent {_NOT_AN_EVENT}")
    return None
