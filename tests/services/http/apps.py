"""A small app with a route for each case that the shared HTTP code handles."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel, ConfigDict, StrictInt
from starlette.responses import StreamingResponse

from connectors.sessions.memory import MemoryEndings
from core.errors import NoTicketError, TransientError
from core.sessions import Endings
from runtime.telemetry import Telemetry
from services.http.admission import AdmissionBounds
from services.http.app import create_app
from services.http.authentication import AnyCaller, require
from services.http.bodies import BodyBounds
from services.http.callers import Caller
from services.http.context import stop_of
from services.http.limits import Throttle
from services.http.problems import Problem
from services.http.sessions import Sessions
from tests.rigs.issuer import Issuer

SECRET = "the customer's words"


class Note(BaseModel):
    """A body."""

    model_config = ConfigDict(extra="forbid")

    text: str
    count: StrictInt = 1
    inner: dict[str, list[int]] = {}


class App:
    """The app, and the calls of its routes."""

    def __init__(
        self,
        *,
        body: BodyBounds | None = None,
        admission: AdmissionBounds | None = None,
        throttle: Throttle | None = None,
        endings: Endings | None = None,
        issuer: Issuer | None = None,
    ) -> None:
        self.issuer = issuer or Issuer()
        self.telemetry = Telemetry()
        self.authenticator = self.issuer.authenticator(self.telemetry)
        self.fault: str | None = None
        self.late_s = 0.0
        self.sessions = Sessions(
            endings or MemoryEndings(),
            keep_days=30,
            telemetry=self.telemetry,
            clock=lambda: time.time() + self.late_s,
            monotonic=lambda: self.late_s,
        )
        self.stops: list[threading.Event] = []
        self.cancelled = threading.Event()
        self.release = threading.Event()
        self.app: FastAPI = create_app(
            name="test",
            title="Test",
            version="1",
            routers=[self._router()],
            authenticator=self.authenticator,
            telemetry=self.telemetry,
            alive=lambda: None,
            ready=lambda: self.fault,
            body=body or BodyBounds(max_bytes=4096),
            admission=admission or AdmissionBounds(),
            throttle=throttle,
            sessions=self.sessions,
        )

    def metric(self, name: str, **labels: str) -> float:
        """The value of a metric; 0 if it has none."""
        return self.telemetry.registry.get_sample_value(name, labels) or 0.0

    def _router(self) -> APIRouter:
        router = APIRouter(prefix="/api/v1")

        @router.post("/notes/{note_id}")
        def add(note_id: str, note: Note, caller: AnyCaller) -> dict[str, Any]:
            return {"tenant": caller.tenant_id, "id": note_id, "text": note.text, "roles": sorted(caller.roles)}

        @router.get("/notes/{note_id}")
        def get(note_id: str, caller: Annotated[Caller, Depends(require("operator"))]) -> str:
            return f"{caller.user_id} {note_id}"

        @router.get("/fails/{how}")
        def fail(how: str) -> None:
            faults: dict[str, Exception] = {
                "bug": RuntimeError(SECRET),
                "outage": TransientError(SECRET, retry_after_s=7),
                "missing": NoTicketError(SECRET),
                "conflict": Problem("conflict", "It exists."),
            }
            raise faults[how]

        @router.get("/streams/{how}")
        def stream(how: str, stop: Annotated[threading.Event, Depends(stop_of)]) -> StreamingResponse:
            self.stops.append(stop)
            return StreamingResponse(self._parts(how), media_type="text/plain")

        @router.get("/waits")
        async def wait(stop: Annotated[threading.Event, Depends(stop_of)]) -> str:
            self.stops.append(stop)
            try:
                while not self.release.is_set():  # noqa: ASYNC110 - a test's thread sets it
                    await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                self.cancelled.set()
                raise
            return "done"

        return router

    async def _parts(self, how: str) -> AsyncIterator[bytes]:
        try:
            yield b"first\n"
            if how == "breaks":
                raise RuntimeError(SECRET)
            while not self.release.is_set():
                await asyncio.sleep(0 if how == "large" else 0.01)
                yield b"x" * 65_536 if how == "large" else b"more\n"
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


@contextmanager
def client_of(app: App, *roles: str) -> Iterator[TestClient]:
    """A client with a valid token."""
    with TestClient(app.app, headers=app.issuer.headers("acme", *roles)) as client:
        yield client


def fields(problem: dict[str, Any]) -> Sequence[str]:
    """The fields that a problem document names."""
    return [error["field"] for error in problem["errors"]]
