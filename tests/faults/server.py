"""Qdrant servers to be taken out: in this process, where one can hold writes back too, or in one of its own."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol

import grpc

from tests.rigs.proxy import Proxy
from tests.rigs.qdrant_facade import Counts, FacadeProcess, Fault, QdrantFacade
from tests.rigs.waiting import PATIENCE_S

Outage = Literal[
    "refuses",  # every call is answered with UNAVAILABLE
    "down",  # the port is closed
    "silent",  # connections stay, and nothing comes over them: a black hole
]


class Server(Protocol):
    """What attacks do to either."""

    @property
    def url(self) -> str:
        """What TICKETS_INDEX__URL should be."""

    def inject(self, *faults: Fault) -> None:
        """Add `faults` to those there are."""

    def heal(self) -> None:
        """Be a server in good health again."""

    def counts(self) -> Counts:
        """What it has seen."""

    def outage(self, how: Outage = "refuses") -> AbstractContextManager[None]:
        """Nothing gets through meanwhile."""

    def close(self) -> None:
        """End it."""


class SeparateServer(FacadeProcess):
    """In a process of its own: what goes on in this one for long doesn't slow it down."""

    @contextmanager
    def outage(self, how: Outage = "refuses") -> Iterator[None]:
        """Nothing gets through meanwhile."""
        if how == "silent":
            self.pause()
        else:
            self.inject(_fault(how))
        try:
            yield
        finally:
            if how == "silent":
                self.resume()
            self.heal()


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
        if how == "silent":
            self.network.half_open()
        else:
            self.inject(_fault(how))
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
            self._released.wait(PATIENCE_S)
            if self._lost:
                context.abort(grpc.StatusCode.UNAVAILABLE, "lost")
        return super().UpdateBatch(request, context)


def _fault(how: Outage) -> Fault:
    return Fault("down") if how == "down" else Fault("error", code="UNAVAILABLE")
