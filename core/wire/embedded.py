"""Encodes and decodes the values of `tickets.embedded`."""

from collections.abc import Mapping, Sequence
from typing import Final, cast

import msgspec
import numpy as np
from msgspec import Struct

from core.identity import point_id
from core.payload import Payload, PayloadValue
from core.records import Point, Record, TicketPoints, Vector
from core.wire.format import OutgoingRecord, decode_value, headers_of, schema_of

#: Header with the stamp of the model that made the vectors.
MODEL: Final = "ticketstream-model"

#: float32 with the least significant byte first, on every platform.
_FLOAT: Final = np.dtype("<f4")


class WirePoint(Struct, frozen=True, kw_only=True):
    """A point: its vector as packed little-endian float32, and the payload fields that are not shared."""

    vector: bytes
    payload: dict[str, PayloadValue]


class Embedded(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The value of a record: all points of one version of a ticket. Without points the ticket is deleted.

    Attributes:
        shared: the payload fields that all points have in common.
        points: in the order of their chunks.
    """

    tenant_id: str
    ticket_id: str
    version: int
    event_ms: int | None = None
    broker_ms: int | None = None
    shared: dict[str, PayloadValue] = msgspec.field(default_factory=dict)
    points: tuple[WirePoint, ...] = ()


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Embedded)


def encode_embedded(item: TicketPoints, *, model: str) -> OutgoingRecord:
    """The record of a ticket's points. `model` is the stamp of the model that made the vectors."""
    shared = _shared(item.points)
    value = Embedded(
        tenant_id=item.tenant_id,
        ticket_id=item.ticket_id,
        version=item.version,
        event_ms=item.event_ms,
        broker_ms=item.broker_ms,
        shared=shared,
        points=tuple(_wire_point(point, shared) for point in item.points),
    )
    headers = headers_of("embedded", item.record, item.broker_ms)
    return OutgoingRecord(_ENCODER.encode(value), (*headers, (MODEL, model.encode())))


def decode_embedded(record: Record) -> TicketPoints:
    """The points in `record`.

    Raises:
        ValueError: its value is malformed.
    """
    found = decode_value(record, _DECODER)
    points = tuple(
        Point(
            point_id(found.tenant_id, found.ticket_id, chunk),
            _vector(point.vector),
            cast("Payload", found.shared | point.payload | _place(found, chunk)),
        )
        for chunk, point in enumerate(found.points)
    )
    return TicketPoints(
        found.tenant_id, found.ticket_id, found.version, points, found.event_ms, found.broker_ms, record
    )


def _place(found: Embedded, chunk: int) -> dict[str, PayloadValue]:
    """The payload fields that say whose point it is. They follow from the ids, whatever the payload says."""
    return {
        "tenant_id": found.tenant_id,
        "ticket_id": found.ticket_id,
        "head": point_id(found.tenant_id, found.ticket_id, 0),
        "version": found.version,
        "state": "live",
        "chunk": chunk,
        "chunks": len(found.points),
    }


def embedded_schema() -> dict[str, object]:
    """JSON Schema of a value."""
    return schema_of("embedded", Embedded)


def _shared(points: Sequence[Point]) -> dict[str, PayloadValue]:
    """The fields that all payloads have in common, with equal values."""
    if not points:
        return {}
    first, *others = [_fields(point) for point in points]
    return {
        name: value
        for name, value in first.items()
        if all(name in other and _same(other[name], value) for other in others)
    }


def _same(one: object, other: object) -> bool:
    """Equal and of one type: 1 is not True."""
    return one is other or (type(one) is type(other) and one == other)


def _wire_point(point: Point, shared: Mapping[str, PayloadValue]) -> WirePoint:
    assert point.vector is not None  # noqa: S101 - only tombstones have none, and only the index makes those
    own = {name: value for name, value in _fields(point).items() if name not in shared}
    return WirePoint(vector=np.ascontiguousarray(point.vector, _FLOAT).tobytes(), payload=own)


def _fields(point: Point) -> Mapping[str, PayloadValue]:
    return cast("Mapping[str, PayloadValue]", point.payload)


def _vector(packed: bytes) -> Vector:
    """float32[len(packed) / 4].

    Raises:
        ValueError: the length is not a multiple of 4 bytes.
    """
    return np.frombuffer(packed, _FLOAT).astype(np.float32, copy=False)
