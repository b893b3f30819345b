"""The composition root of the ticket API."""

import os
import threading
from contextlib import ExitStack
from functools import partial
from importlib.metadata import version
from typing import Final

from fastapi import FastAPI

from connectors.ticket_store.dynamodb import DynamoStores
from connectors.ticket_store.open import open_stores
from connectors.ticket_store.sqlite import SqliteStores
from core import failpoints
from core.settings import Settings
from delivery.lease import owner_name
from delivery.relay import Relay
from runtime.otlp import open_tracing
from runtime.sender import ReopeningSender, open_sender
from runtime.telemetry import Telemetry
from services.http.callers import Authenticator
from services.http.limits import open_throttle
from services.http.sessions import open_sessions
from services.http.tokens import open_authenticator
from services.tickets.app import tickets_app
from services.tickets.changes import Tickets
from services.tickets.monitor import Monitor
from services.tickets.sending import RelayThread, TopicSend

#: Seconds between two checks of the store. In DynamoDB a check reads the whole outbox, which costs money.
_LOOK_EVERY_S: Final = {"sqlite": 1.0, "dynamodb": 5.0}
#: A body may have more bytes than its event, because of escapes and spaces.
_BODY_FACTOR: Final = 2


def open_app(settings: Settings, stack: ExitStack, *, authenticator: Authenticator | None = None) -> FastAPI:
    """The ticket API, with its store open and its relay running.

    Args:
        settings: all groups; those of API, Kafka, topics, contract and authentication are used.
        stack: closes what is opened.
        authenticator: verifies tokens; by default those of the issuer in the settings.

    Raises:
        ConfigError: a setting is wrong, or the path of the store can't be written.
        UnavailableError: the store can't be opened.
    """
    failpoints.arm(os.environ.get(failpoints.VARIABLE))
    telemetry = Telemetry(tracing=open_tracing(settings.tracing, stack, service="tickets"))
    telemetry.describe_process(version("ticketstream"), "none")
    if authenticator is None:
        authenticator = open_authenticator(settings.auth, stack, telemetry=telemetry)
    stores = open_stores(settings.api, stack)
    monitor = Monitor(stores.tickets, stores.outbox, max_events=settings.api.max_outbox_events)
    relay = _open_relay(settings, stores, monitor, telemetry, stack)
    _open_watch(monitor, telemetry, stack, every_s=_LOOK_EVERY_S[settings.api.store])

    def written() -> None:
        monitor.added()
        relay.wake()

    tickets = Tickets(stores.tickets, limits=settings.contract, admit=monitor.admit, written=written)
    return tickets_app(
        tickets,
        settings=settings,
        authenticator=authenticator,
        telemetry=telemetry,
        alive=relay.fault,
        ready=monitor.not_ready,
        warn=monitor.warning,
        throttle=open_throttle(settings, stack, telemetry=telemetry)[1],
        sessions=open_sessions(settings.sessions, stack, telemetry=telemetry),
    )


def _open_relay(
    settings: Settings, stores: SqliteStores | DynamoStores, monitor: Monitor, telemetry: Telemetry, stack: ExitStack
) -> RelayThread:
    sender = ReopeningSender(partial(open_sender, settings.kafka))
    stack.callback(sender.close)
    sender.open()
    send = TopicSend(sender, topic=settings.topics.raw, monitor=monitor)
    thread = RelayThread(
        Relay(stores.outbox, send, owner=owner_name(shared=settings.api.store != "sqlite")),
        monitor=monitor,
        sent=lambda events: telemetry.count("tickets_outbox_sent_total", by=events),
    )
    thread.start()
    stack.callback(thread.close)
    return thread


def _open_watch(monitor: Monitor, telemetry: Telemetry, stack: ExitStack, *, every_s: float) -> None:
    """Check the store now and every `every_s` seconds, in a thread."""
    telemetry.track("tickets_outbox_events", lambda: monitor.events)
    telemetry.track("tickets_outbox_age_seconds", lambda: monitor.age_s)
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(every_s):
            monitor.look()

    monitor.look()
    thread = threading.Thread(target=watch, name="watch", daemon=True)
    thread.start()
    stack.callback(thread.join)
    stack.callback(stop.set)
