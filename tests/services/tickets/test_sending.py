"""Probes, metrics and responses while the store or the broker is out."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from connectors.kafka.producer import Outgoing
from connectors.ticket_store.sqlite import SqliteStores, open_sqlite
from core.errors import FatalError, RefusedError, TransientError
from delivery.relay import Relay
from runtime.sender import ReopeningSender
from services.http.problems import Problem
from services.tickets.monitor import Monitor
from services.tickets.sending import RelayThread, TopicSend
from tests.connectors.ticket_store.stores import NOW_MS, upsert
from tests.rigs.waiting import wait_until


class FakeSender:
    """A producer that fails on demand."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.refused: dict[int, RefusedError] = {}
        self.sent: list[Outgoing] = []
        self.opened = 0

    def open(self, stack: ExitStack) -> "FakeSender":
        self.opened += 1
        stack.callback(lambda: None)
        return self

    def offer(self, records: Sequence[Outgoing]) -> dict[int, RefusedError]:
        if self.error is not None:
            raise self.error
        self.sent += [record for place, record in enumerate(records) if place not in self.refused]
        return self.refused


class Sending:
    """A relay thread over a store, with a fake producer."""

    def __init__(self, stores: SqliteStores, *, max_events: int = 3) -> None:
        self.sender = FakeSender()
        self.acked = 0
        self.stores = stores
        self.now_s = NOW_MS / 1000 + 1  # when the first event is written
        self.monitor = Monitor(stores.tickets, stores.outbox, max_events=max_events, clock=lambda: self.now_s)
        sender = ReopeningSender(self.sender.open)  # type: ignore[arg-type]  # a fake
        self.send = TopicSend(sender, topic="t", monitor=self.monitor)
        self.thread = RelayThread(Relay(stores.outbox, self.send, owner="r"), monitor=self.monitor, sent=self._count)

    def _count(self, events: int) -> None:
        self.acked += events

    def write(self, ticket_id: str) -> None:
        self.stores.tickets.apply(upsert(ticket_id))
        self.monitor.added()
        self.thread.wake()


@pytest.fixture
def sending(tmp_path: Path) -> Iterator[Sending]:
    with ExitStack() as stack:
        made = Sending(open_sqlite(tmp_path / "tickets.db", stack))
        stack.callback(made.thread.close)
        made.thread.start()
        yield made


def test_events_are_sent_as_they_come(sending: Sending) -> None:
    """Each event is sent with the contract's key and its exact value."""
    for number in range(3):
        sending.write(f"T-{number}")
    wait_until(lambda: sending.acked == 3)
    assert {(r.topic, r.key, r.value) for r in sending.sender.sent} == {
        ("t", f"acme/T-{number}".encode(), upsert(f"T-{number}").value) for number in range(3)
    }
    sending.monitor.look()
    assert (sending.monitor.events, sending.monitor.age_s, sending.monitor.warning()) == (0, 0.0, None)


def test_an_outage_of_the_broker_is_a_warning_until_the_outbox_is_full(sending: Sending) -> None:
    """Without the broker changes are accepted until the outbox is full, then get 503, and /ready has a warning."""
    sending.sender.error = TransientError("no broker")
    for number in range(3):
        sending.monitor.admit()
        sending.write(f"T-{number}")
    with pytest.raises(Problem, match="unavailable") as caught:
        sending.monitor.admit()
    assert caught.value.headers["Retry-After"] == "5"
    wait_until(lambda: sending.monitor.broker_fault is not None)
    sending.monitor.look()
    sending.now_s += 40
    assert sending.monitor.warning() == "3 changes wait for the topic, the oldest for 40 s: no broker"
    assert sending.monitor.not_ready() is None
    assert sending.thread.fault() is None
    sending.sender.error = None
    wait_until(lambda: sending.acked == 3)
    sending.monitor.look()
    sending.monitor.admit()
    assert sending.monitor.warning() is None


def test_a_fatal_error_of_the_client_is_met_with_a_new_one(sending: Sending) -> None:
    """After a fatal error the relay opens a new client and goes on."""
    sending.sender.error = FatalError("the topic is missing")
    sending.write("T-1")
    wait_until(lambda: sending.monitor.broker_fault == "the topic is missing")
    sending.sender.error = None
    wait_until(lambda: sending.acked == 1)
    assert sending.sender.opened >= 2


def test_a_refused_ticket_is_reported(sending: Sending) -> None:
    """A ticket that the topic refuses stays in the outbox, and /ready says so."""
    sending.sender.refused = {0: RefusedError("too large")}
    sending.write("T-1")
    wait_until(lambda: sending.monitor.refused_fault is not None)
    sending.monitor.look()
    assert "the topic refuses 1 tickets: too large" in (sending.monitor.warning() or "")
    sending.sender.refused = {}
    wait_until(lambda: sending.acked == 1)
    wait_until(lambda: sending.monitor.warning() is None)


def test_a_store_that_is_out_is_not_ready(tmp_path: Path) -> None:
    """The service is not ready while its store is out."""
    with ExitStack() as stack:
        made = Sending(open_sqlite(tmp_path / "tickets.db", stack))
        made.monitor.look()
        assert made.monitor.not_ready() is None
    made.monitor.look()  # the store is closed
    assert made.monitor.not_ready() == "The store of tickets can't be reached."


def test_closing_sends_what_waits(tmp_path: Path) -> None:
    """Closing sends the waiting events and releases the lease."""
    with ExitStack() as stack:
        made = Sending(open_sqlite(tmp_path / "tickets.db", stack))
        made.thread.start()
        made.stores.tickets.apply(upsert())
        made.thread.close()
        assert made.acked == 1
        now_ms = int(time.time() * 1000)
        assert made.stores.outbox.lease("another", now_ms=now_ms, until_ms=now_ms + 1)
