"""Qdrant servers that can be broken, in this process or in one of their own."""

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
    """The interface of both servers."""

    @property
    def url(self) -> str:
        """The value for TICKETS_INDEX__URL."""

    def inject(self, *faults: Fault) -> None:
        """Add `faults`."""

    def heal(self) -> None:
        """Remove all faults."""

    def counts(self) -> Counts:
        """The counts so far."""

    def outage(self, how: Outage = "refuses") -> AbstractContextManager[None]:
        """A context in which no call succeeds."""

    def close(self) -> None:
        """Stop the server."""


class SeparateServer(FacadeProcess):
    """A server in a process of its own, which a busy test process doesn't slow down."""

    @contextmanager
    def outage(self, how: Outage = "refuses") -> Iterator[None]:
        """A context in which no call succeeds."""
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
    """A server in this process. Writes of a ticket version in `held` wait until `release` or `lose`."""

    def __init__(self, folder: Path) -> None:
        self.held: set[tuple[str, int]] = set()
        self.waiting = threading.Event()
        self._released = threading.Event()
        self._lost = False
        super().__init__(folder)

    @contextmanager
    def outage(self, how: Outage = "refuses") -> Iterator[None]:
        """A context in which no call succeeds."""
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
        """The proxy in front of it; `heal` heals it too."""
        return self._front

    def release(self) -> None:
        """Apply the held writes."""
        self._released.set()

    def lose(self) -> None:
        """Fail the held writes without applying them."""
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
