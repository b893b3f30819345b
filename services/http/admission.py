"""Admission control: concurrency is bounded, a bounded number of requests waits for a bounded time, others get 503."""

import asyncio
from collections.abc import Collection
from typing import Final

from msgspec import Struct
from starlette.types import ASGIApp, Receive, Scope, Send

from runtime.telemetry import Telemetry
from services.http.problems import Problem, unavailable


class AdmissionBounds(Struct, frozen=True, kw_only=True):
    """Bounds of concurrency.

    Attributes:
        concurrent: maximum concurrent requests. A stream counts until its end.
        waiting: maximum requests that wait.
        wait_s: maximum wait, in seconds.
    """

    concurrent: int = 16
    waiting: int = 64
    wait_s: float = 2.0


DEFAULT_ADMISSION: Final = AdmissionBounds()


class Admission:
    """ASGI middleware that bounds concurrency. Paths in `free` are always answered at once."""

    def __init__(
        self, app: ASGIApp, *, bounds: AdmissionBounds, free: Collection[str], telemetry: Telemetry, server: str
    ) -> None:
        self._app = app
        self._bounds = bounds
        self._free = free
        self._telemetry = telemetry
        self._server = server
        self._places = asyncio.Semaphore(bounds.concurrent)
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or raise a `Problem`."""
        if scope["type"] != "http" or scope["path"] in self._free:
            await self._app(scope, receive, send)
            return
        await self._enter()
        try:
            await self._app(scope, receive, send)
        finally:
            self._places.release()

    async def _enter(self) -> None:
        if self._places.locked() and self._waiting >= self._bounds.waiting:
            raise self._refusal()
        self._waiting += 1
        try:
            async with asyncio.timeout(self._bounds.wait_s):
                await self._places.acquire()
        except TimeoutError:
            raise self._refusal() from None
        finally:
            self._waiting -= 1

    def _refusal(self) -> Problem:
        self._telemetry.count("tickets_http_refused_total", self._server)
        return unavailable("Too many requests are being answered; try again in a second.")
