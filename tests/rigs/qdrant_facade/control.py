"""The control channel of a facade in a separate process: one JSON object a line, over TCP on loopback."""

import socket
import socketserver
import threading
from typing import Literal

import msgspec
from msgspec import Struct

from tests.rigs.qdrant_facade.facade import QdrantFacade
from tests.rigs.qdrant_facade.faults import Counts, Fault
from tests.rigs.waiting import PATIENCE_S


class Command(Struct, frozen=True):
    """A command; the facade answers with its counts afterwards."""

    do: Literal["inject", "heal", "counts"]
    faults: tuple[Fault, ...] = ()


def serve_control(facade: QdrantFacade) -> int:
    """Serve commands for `facade` in a thread until the process ends, and return the port."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            for line in self.rfile:
                command = msgspec.json.decode(line, type=Command)
                if command.do == "inject":
                    facade.inject(*command.faults)
                elif command.do == "heal":
                    facade.heal()
                self.wfile.write(msgspec.json.encode(facade.counts()) + b"\n")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="control", daemon=True).start()
    return int(server.server_address[1])


def tell(port: int, command: Command) -> Counts:
    """Send `command` to the facade with this control port, and return its counts.

    Raises:
        OSError: the facade doesn't answer.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
        connection.sendall(msgspec.json.encode(command) + b"\n")
        with connection.makefile("rb") as answers:
            line = answers.readline()
    if not line:
        raise ConnectionError("the facade ended without an answer")
    return msgspec.json.decode(line, type=Counts)
