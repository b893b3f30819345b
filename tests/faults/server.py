"""A Qdrant server that can be broken in the middle of a write, in this process."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc

from tests.rigs.qdrant_facade import QdrantFacade


class BreakableServer(QdrantFacade):
    """`slow_s` is what every write takes longer; writes of tickets in `refused` fail; those in `held` wait."""

    def __init__(self, folder: Path) -> None:
        self.slow_s = 0.0
        self.refused: set[str] = set()
        self.held: set[tuple[str, int]] = set()
        self.waiting = threading.Event()
        self._released = threading.Event()
        super().__init__(folder)

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Every call is refused."""
        self.fault = grpc.StatusCode.UNAVAILABLE
        try:
            yield
        finally:
            self.fault = None

    def release(self) -> None:
        """Let the held writes go on."""
        self._released.set()

    def close(self) -> None:
        self.release()
        super().close()

    def UpdateBatch(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        tickets = {
            (point.payload["ticket_id"].string_value, point.payload["version"].integer_value)
            for operation in request.operations
            for point in operation.upsert.points
        }
        if any(ticket in self.refused for ticket, _version in tickets):
            context.abort(grpc.StatusCode.UNAVAILABLE, "refused")
        if tickets & self.held:
            self.waiting.set()
            self._released.wait(60)
        if self.slow_s:
            time.sleep(self.slow_s)
        return super().UpdateBatch(request, context)
