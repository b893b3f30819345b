"""A Qdrant server that holds a write back, beside what else the rig can break."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import grpc

from tests.rigs.proxy import Proxy
from tests.rigs.qdrant_facade import Fault, QdrantFacade

Outage = Literal[
    "refuses",  # every call is answered with UNAVAILABLE
    "down",  # the port is closed
    "silent",  # connections stay, and nothing comes over them: a black hole
]


class BreakableServer(QdrantFacade):
    """Writes of a ticket's version that is in `held` wait: for `release`, and are then applied, or for `lose`."""

    def __init__(self, folder: Path) -> None:
        self.held: set[tuple[str, int]] = set()
        self.waiting = threading.Event()
        self._released = threading.Event()
        self._lost = False
        super().__init__(folder)

    @contextmanager
    def outage(self, how: Outage = "refuses") -> Iterator[None]:
        """Nothing gets through meanwhile."""
        match how:
            case "refuses":
                self.inject(Fault("error", code="UNAVAILABLE"))
            case "down":
                self.inject(Fault("down"))
            case "silent":
                self.network.half_open()
        try:
            yield
        finally:
            self.heal()

    @property
    def network(self) -> Proxy:
        """Between it and everybody; healed by `heal`."""
        return self._front

    def release(self) -> None:
        """Let the held writes go on."""
        self._released.set()

    def lose(self) -> None:
        """Forget the held writes, unapplied."""
        self.held.clear()
        self._lost = True
        self.release()

    def close(self) -> None:
        self.release()
        super().close()

    def UpdateBatch(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        points = (point.payload for operation in request.operations for point in operation.upsert.points)
        versions = {(p["ticket_id"].string_value, p["version"].integer_value) for p in points}
        if versions & self.held:
            self.waiting.set()
            self._released.wait(60)
            if self._lost:
                context.abort(grpc.StatusCode.UNAVAILABLE, "lost")
        return super().UpdateBatch(request, context)
