"""The ticket API behind Amazon API Gateway: the app of `services.tickets`. Its relay is `lambdas.outbox`."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from contextvars import copy_context
from typing import Any, Final

from fastapi import FastAPI
from mangum import Mangum

from connectors.ticket_store.dynamodb import open_dynamodb
from core.settings import Settings
from lambdas.function import Call, Event, Function, Handle
from runtime.telemetry import Telemetry
from services.http.limits import open_throttle
from services.http.problems import MEDIA_TYPE, unavailable
from services.http.sessions import open_sessions
from services.http.tokens import open_authenticator
from services.tickets.app import tickets_app
from services.tickets.changes import Tickets
from services.tickets.monitor import Monitor

#: The remaining time of the function at which a request gets a 503 instead of being cut off.
_RESERVE_S: Final = 1.0
#: The time between two reads of the outbox's size.
_LOOK_EVERY_S: Final = 5.0
_TEXT: Final = ["text/", "application/json", MEDIA_TYPE]


class Admission:
    """Refuses changes while the outbox is full. Reads its size at most every five seconds, without a thread."""

    def __init__(self, monitor: Monitor, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._monitor = monitor
        self._clock = clock
        self._next_s = clock()

    def admit(self) -> None:
        """See `Monitor.admit`."""
        if self._clock() >= self._next_s:
            self._next_s = self._clock() + _LOOK_EVERY_S
            self._monitor.look()
        self._monitor.admit()


class Worker:
    """A thread with an event loop that survives between events, as the app expects."""

    def __init__(self) -> None:
        self._threads = self._start()

    def answer(self, adapter: Callable[[Event], Event], event: Event, call: Call) -> Event:
        """The response to a request, or 503 before Lambda ends the process; then the request may still take effect."""
        future = self._threads.submit(copy_context().run, adapter, event)
        try:
            return future.result(max(0.0, call.left_s() - _RESERVE_S))
        except TimeoutError:
            self.close()  # the slow request may occupy its thread for long
            self._threads = self._start()
        response = unavailable("The service took too long; try again.").response(call.request_id)
        return {
            "statusCode": response.status_code,
            "headers": {**dict(response.headers), "x-request-id": call.request_id},
            "body": bytes(response.body).decode(),
        }

    def close(self) -> None:
        """End the thread after its current work."""
        self._threads.shutdown(wait=False)

    def _start(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1, "app", initializer=lambda: asyncio.set_event_loop(asyncio.new_event_loop()))


def traced(event: Event, call: Call) -> Event:
    """The request with the trace of the function, unless the client sent one."""
    headers = event.get("multiValueHeaders") or {}
    if not call.traceparent or any(name.lower() == "traceparent" for name in [*headers, *(event.get("headers") or {})]):
        return event
    return event | {"multiValueHeaders": headers | {"traceparent": [call.traceparent]}}


def open_tickets(settings: Settings, stack: ExitStack, telemetry: Telemetry) -> Handle:
    """The handler, with its connections open.

    Raises:
        ConfigError: a setting is wrong.
        UnavailableError: the tables can't be reached.
    """
    stores = open_dynamodb(prefix=settings.api.table_prefix, region=settings.api.aws_region)
    monitor = Monitor(stores.tickets, stores.outbox, max_events=settings.api.max_outbox_events)
    app = tickets_app(
        Tickets(stores.tickets, limits=settings.contract, admit=Admission(monitor).admit, written=monitor.added),
        settings=settings,
        authenticator=open_authenticator(settings.auth, stack, telemetry=telemetry),
        telemetry=telemetry,
        ready=monitor.not_ready,
        throttle=open_throttle(settings, stack, telemetry=telemetry)[1],
        sessions=open_sessions(settings.sessions, stack, telemetry=telemetry),
    )
    return gateway(app, stack)


def gateway(app: FastAPI, stack: ExitStack) -> Handle:
    """The handler of an app, which translates API Gateway's requests and responses."""
    worker = Worker()
    stack.callback(worker.close)
    adapter = Mangum(app, lifespan="off", text_mime_types=_TEXT)

    def handle(event: Event, call: Call) -> Event:
        context: Any = call.context  # the adapter's type names all of Lambda's attributes
        return worker.answer(lambda request: adapter(request, context), traced(event, call), call)

    return handle


handler: Final = Function("tickets", open_tickets)
