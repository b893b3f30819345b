"""Finds the active controller of a KRaft quorum.

Brokers report any node as the controller, so `describe_cluster` doesn't identify the active one. DescribeQuorum
(key 55, version 0) does: only the active controller answers it without an error. No Python client offers it, so the
request is encoded here:
https://kafka.apache.org/protocol.html#The_Messages_DescribeQuorum
"""

import socket
import struct
from collections.abc import Mapping
from typing import Final

_KEY: Final = 55
_TOPIC: Final = b"__cluster_metadata"
#: One topic with one partition, 0. Lengths of compact arrays and strings are sent plus one; zeros are empty tags.
_BODY: Final = b"\x02" + bytes([len(_TOPIC) + 1]) + _TOPIC + b"\x02" + struct.pack(">i", 0) + b"\x00\x00\x00"
_REQUEST: Final = struct.pack(">hhih", _KEY, 0, 1, -1) + b"\x00" + _BODY
#: Correlation and tags; the error; one topic, named; one partition, numbered.
_BEFORE_LEADER: Final = 4 + 1 + 2 + 1 + 1 + len(_TOPIC) + 1 + 4
_TIMEOUT_S: Final = 1.0


def active_controller(controllers: Mapping[int, str]) -> int | None:
    """The node id of the active one among `controllers` (addresses by node id), or None if there is none."""
    for node, address in controllers.items():
        host, _, port = address.rpartition(":")
        try:
            with socket.create_connection((host, int(port)), timeout=_TIMEOUT_S) as connection:
                connection.sendall(struct.pack(">i", len(_REQUEST)) + _REQUEST)
                with connection.makefile("rb") as answers:
                    answer = answers.read(struct.unpack(">i", answers.read(4))[0])
        except (OSError, struct.error):  # not started, paused, or ended while answering
            continue
        if len(answer) < _BEFORE_LEADER + 6:  # an error instead of a partition
            continue
        error, leader = struct.unpack_from(">hi", answer, _BEFORE_LEADER)
        if error == 0 and leader == node:
            return node
    return None
