"""One record as one line of JSON, and back. Nothing is lost: bytes that are not UTF-8 are written as base64.

So is a large record as a whole, because JSON may take six bytes for one of a text.
"""

from typing import Final

import msgspec
from msgspec import Struct

from core.provenance import LogIdentity
from core.records import Damage, Origin, Record

FORMAT: Final = 1
#: Bytes of a large record.
_LARGE: Final = 4 * 2**20


class Base64(Struct, frozen=True, forbid_unknown_fields=True):
    """Bytes that are not UTF-8, or are part of a large record."""

    base64: bytes


Blob = str | Base64 | None


class Header(Struct, frozen=True):
    """First line of a file: the log, the partition, and the offset that the file begins at."""

    format: int
    log: LogIdentity
    partition: int
    first: int


class Line(Struct, frozen=True, omit_defaults=True):
    """A record's line. A tombstone's `value` is null."""

    offset: int
    timestamp_ms: int
    key: Blob
    value: Blob
    headers: tuple[tuple[str, Blob], ...] = ()
    damage: Damage | None = None


_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(Line)


def encode_record(record: Record) -> bytes:
    """A record's line, without its end."""
    blob = _text if record.size <= _LARGE else _base64
    headers = tuple((name, blob(value)) for name, value in record.headers)
    line = Line(record.origin.offset, record.timestamp_ms, blob(record.key), blob(record.value), headers, record.damage)
    return _encoder.encode(line)


def decode_record(data: bytes, topic: str, partition: int) -> Record:
    """The record of a line.

    Raises:
        msgspec.DecodeError, UnicodeDecodeError: it is not such a line.
    """
    line = _decoder.decode(data)
    headers = tuple((name, _bytes(value)) for name, value in line.headers)
    origin = Origin(topic, partition, line.offset)
    return Record(origin, _bytes(line.key), _bytes(line.value), line.timestamp_ms, headers, line.damage)


def _text(data: bytes | None) -> Blob:
    if data is None:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return Base64(data)


def _base64(data: bytes | None) -> Blob:
    return None if data is None else Base64(data)


def _bytes(blob: Blob) -> bytes | None:
    if isinstance(blob, Base64):
        return blob.base64
    return None if blob is None else blob.encode()
