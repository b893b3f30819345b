"""Frames of AWS's event streams (application/vnd.amazon.eventstream)."""

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Final

#: Type of a header's value: a string.
_STRING: Final = b"\x07"


def event(name: str, content: object) -> bytes:
    """An event with JSON content."""
    return frame(
        {":event-type": name, ":content-type": "application/json", ":message-type": "event"},
        json.dumps(content).encode(),
    )


def payload_part(content: bytes) -> bytes:
    """An event of SageMaker's streams: any bytes of the container's answer."""
    return frame(
        {":event-type": "PayloadPart", ":content-type": "application/octet-stream", ":message-type": "event"}, content
    )


def exception(name: str, content: object) -> bytes:
    """An error in place of an event."""
    return frame(
        {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"},
        json.dumps(content).encode(),
    )


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """A frame: two lengths, their checksum, the headers, the payload, and the checksum of all."""
    head = b"".join(
        bytes([len(name)]) + name.encode() + _STRING + struct.pack(">H", len(value)) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack(">II", 16 + len(head) + len(payload), len(head))
    prelude += struct.pack(">I", zlib.crc32(prelude))
    message = prelude + head + payload
    return message + struct.pack(">I", zlib.crc32(message))


def broken(whole: bytes) -> bytes:
    """The frame with a wrong bit in its payload."""
    return whole[:-6] + bytes([whole[-6] ^ 1]) + whole[-5:]
