"""Picks free TCP ports on loopback."""

import socket
from collections import deque
from contextlib import suppress
from random import SystemRandom
from typing import Final

#: Below Linux's ephemeral ports: an outgoing connection could otherwise take the port before the server binds it.
_PORTS: Final = (20_000, 32_000)
#: The last ports that this process picked; their servers bind them later.
_picked: Final = deque[int](maxlen=1_000)


def free_port() -> int:
    """A port of loopback that is free and wasn't returned lately. Another process may take it."""
    while True:
        port = SystemRandom().randrange(*_PORTS)
        if port in _picked:
            continue
        _picked.append(port)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
