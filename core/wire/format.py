"""The common part of both formats: headers and schemas."""

from typing import Final, Literal, TypeVar

import msgspec
from msgspec import Struct

from core.records import Headers, Record

Kind = Literal["enriched", "embedded"]

T = TypeVar("T", bound=Struct)

FORMAT_VERSION: Final = 1
CONTENT_TYPE: Final = "content-type"
#: Timestamp of the event's record in the raw topic, in milliseconds since the epoch.
BROKER_TIME: Final = "ticketstream-first-seen-ms"
#: W3C Trace Context. `baggage` is not forwarded, because it may contain anything, even personal data.
_TRACE: Final = frozenset({"traceparent", "tracestate"})
#: Maximum bytes of either; 512 must be propagated (https://www.w3.org/TR/trace-context/#tracestate-limits).
_MAX_TRACE: Final = 512


class OutgoingRecord(Struct, frozen=True):
    """Value and headers of a record that is to be written."""

    value: bytes
    headers: Headers


def content_type(kind: Kind) -> bytes:
    """Value of the `content-type` header."""
    return f"application/vnd.ticketstream.{kind}.v{FORMAT_VERSION}+msgpack".encode()


def headers_of(kind: Kind, record: Record | None, broker_ms: int | None) -> Headers:
    """Headers of a record made from `record`, whose trace context it takes over: the first of each, if it is short."""
    given = () if record is None else record.headers
    trace = {name: value for name, value in reversed(given) if name in _TRACE and len(value or b"") <= _MAX_TRACE}
    time = () if broker_ms is None else ((BROKER_TIME, str(broker_ms).encode()),)
    return ((CONTENT_TYPE, content_type(kind)), *time, *trace.items())


def decode_value(record: Record, decoder: msgspec.msgpack.Decoder[T]) -> T:
    """The value of `record`.

    Raises:
        ValueError: it is malformed.
    """
    try:
        return decoder.decode(record.value or b"")
    except RecursionError:
        raise ValueError("the value nests too deeply") from None


def schema_of(kind: Kind, value: type[Struct]) -> dict[str, object]:
    """JSON Schema (draft 2020-12) of a value; it describes MessagePack's binary type as a base64 string."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"tickets.{kind}, format version {FORMAT_VERSION}",
        **msgspec.json.schema(value),
    }
