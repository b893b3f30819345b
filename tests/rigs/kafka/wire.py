"""Kafka's protocol, encoded by hand: record batches that ordinary clients can't write, and their produce request."""

import socket
import struct
from collections.abc import Callable, Sequence
from typing import Final

from tests.rigs.waiting import wait_until

#: Codec of a batch, in its attributes.
GZIP: Final = 1
ZSTD: Final = 4

_TIMEOUT_S: Final = 30.0
#: Errors of Kafka's protocol: unknown topic, no leader, another leader.
_NOT_LEADING_YET: Final = {3, 5, 6}
_LAST_BIT: Final = 0x80
#: CRC-32C (Castagnoli), reflected.
_POLYNOMIAL: Final = 0x82F63B78


def record(
    delta: int, key: bytes | None, value: bytes | None, headers: Sequence[tuple[bytes, bytes | None]] = ()
) -> bytes:
    """A record of a batch, `delta` after the batch's first offset."""
    body = b"\0" + _varint(0) + _varint(delta) + _sized(key) + _sized(value) + _varint(len(headers))
    body += b"".join(_sized(name) + _sized(content) for name, content in headers)
    return _varint(len(body)) + body


def batch(
    records: Sequence[bytes],
    *,
    timestamp_ms: int = 1_700_000_000_000,
    codec: int = 0,
    pack: Callable[[bytes], bytes] = bytes,
) -> bytes:
    """A record batch of version 2; `pack` compresses as `codec` says."""
    count, payload = len(records), pack(b"".join(records))
    tail = struct.pack(">hiqqqhii", codec, count - 1, timestamp_ms, timestamp_ms, -1, -1, -1, count) + payload
    head = struct.pack(">iBI", -1, 2, crc32c(tail))
    return struct.pack(">qi", 0, len(head) + len(tail)) + head + tail


def produce(address: str, topic: str, partition: int, data: bytes) -> int:
    """Write a batch and return its first offset.

    The request is repeated while the node doesn't know yet that it leads a new partition.

    Raises:
        AssertionError: the broker refuses it.
    """
    answers: list[tuple[int, int]] = []

    def is_answered() -> bool:
        answers.append(_produce(address, topic, partition, data))
        return answers[-1][0] not in _NOT_LEADING_YET

    wait_until(is_answered)
    error, offset = answers[-1]
    assert error == 0, f"the broker refuses the batch: error {error}"
    return offset


def _produce(address: str, topic: str, partition: int, data: bytes) -> tuple[int, int]:
    """The error of the answer, and the offset."""
    name = topic.encode()
    request = struct.pack(">hhih", 0, 3, 1, 4) + b"wire" + struct.pack(">hhii", -1, -1, int(_TIMEOUT_S * 1000), 1)
    request += struct.pack(">h", len(name)) + name + struct.pack(">iii", 1, partition, len(data)) + data
    host, _colon, port = address.partition(":")
    with socket.create_connection((host, int(port)), _TIMEOUT_S) as connection, connection.makefile("rb") as answers:
        connection.sendall(struct.pack(">i", len(request)) + request)
        (size,) = struct.unpack(">i", answers.read(4))
        answer = answers.read(size)
    _partition, error, offset = struct.unpack_from(">ihq", answer, 4 + 4 + 2 + len(name) + 4)
    return int(error), int(offset)


def crc32c(data: bytes) -> int:
    """The checksum of a batch."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def _entry(number: int) -> int:
    for _ in range(8):
        number = (number >> 1) ^ (_POLYNOMIAL if number & 1 else 0)
    return number


_TABLE: Final = [_entry(number) for number in range(256)]


def _varint(number: int) -> bytes:
    left = (number << 1) ^ (number >> 63)
    out = bytearray()
    while left >= _LAST_BIT:
        out.append(left & 0x7F | _LAST_BIT)
        left >>= 7
    out.append(left)
    return bytes(out)


def _sized(data: bytes | None) -> bytes:
    return _varint(-1) if data is None else _varint(len(data)) + data
