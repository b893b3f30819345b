"""Picks free TCP ports on loopback."""

import socket
from contextlib import suppress
from random import SystemRandom
from typing import Final

#: Below Linux's ephemeral ports: an outgoing connection could otherwise take the port before the server binds it.
_PORTS: Final = (20_000, 32_000)


def free_port() -> int:
    """A port of loopback that is free when this returns; another process may take it."""
    while True:
        port = SystemRandom().randrange(*_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
