"""The relay sends every event at least once, in the order of versions, through failures at any step."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random

import pytest

from core import failpoints
from core.errors import FatalError, RefusedError, TransientError
from core.ticket_store import OutboxEvent, OutboxSize
from delivery.lease import LEASE_S
from delivery.relay import Relay


class FakeOutbox:
    """An outbox in memory."""

    def __init__(self) -> None:
        self.events: list[OutboxEvent] = []
        self.leases = 0
        self._lease: tuple[str, int] | None = None
        self._lock = threading.Lock()

    def add(self, ticket_id: str, version: int) -> None:
        row_id = f"{len(self.events)}"
        self.events.append(
            OutboxEvent(
                row_id=row_id,
                tenant_id="acme",
                ticket_id=ticket_id,
                version=version,
                updated_ms=0,
                value=b"",
            )
        )

    def pages(self, size: int) -> Iterator[Sequence[OutboxEvent]]:
        events = list(self.events)
        for begin in range(0, len(events), min(size, 5)):
            yield events[begin : begin + min(size, 5)]

    def remove(self, events: Sequence[OutboxEvent]) -> None:
        with self._lock:
            self.events = [event for event in self.events if event not in events]

    def size(self) -> OutboxSize:
        return OutboxSize(len(self.events), 0 if self.events else None)

    def lease(self, owner: str, *, now_ms: int, until_ms: int) -> bool:
        self.leases += 1
        if self._lease is not None and self._lease[0] != owner and self._lease[1] > now_ms:
            return False
        self._lease = (owner, until_ms)
        return True

    def release(self, owner: str) -> None:
        if self._lease is not None and self._lease[0] == owner:
            self._lease = None


class Topic:
    """A topic that loses and refuses records on demand."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, int]] = []
        self.fails: Callable[[], bool] = lambda: False
        self.refuses: set[str] = set()

    def send(self, events: Sequence[OutboxEvent]) -> Mapping[int, RefusedError]:
        assert len({event.ticket_id for event in events}) == len(events)
        refused = {}
        for place, event in enumerate(events):
            if self.fails():
                raise TransientError("no broker")
            if event.ticket_id in self.refuses:
                refused[place] = RefusedError("too large")
            else:
                self.sent.append((event.ticket_id, event.version))
        return refused

    def is_complete(self, versions: Mapping[str, int]) -> bool:
        """Whether the first occurrences of each ticket's versions are all there, in order."""
        first = {ticket: [v for t, v in dict.fromkeys(self.sent) if t == ticket] for ticket in versions}
        return first == {ticket: list(range(1, last + 1)) for ticket, last in versions.items()}


@pytest.fixture
def outbox() -> FakeOutbox:
    return FakeOutbox()


@pytest.fixture
def topic() -> Topic:
    return Topic()


def test_everything_is_sent_in_order_and_removed(outbox: FakeOutbox, topic: Topic) -> None:
    """One pass sends every event once, the versions of a ticket in order."""
    for version in range(1, 5):
        for ticket in "abc":
            outbox.add(ticket, version)
    done = Relay(outbox, topic.send, owner="r").run_once()
    assert (done.sent, done.refused, done.leads) == (12, 0, True)
    assert topic.is_complete(dict.fromkeys("abc", 4))
    assert len(topic.sent) == 12
    assert outbox.events == []


def test_an_empty_outbox_costs_no_lease(outbox: FakeOutbox, topic: Topic) -> None:
    """An idle relay writes nothing to the store."""
    assert Relay(outbox, topic.send, owner="r").run_once().sent == 0
    assert outbox.leases == 0


@pytest.mark.parametrize("seed", range(20))
def test_failures_between_any_two_steps_lose_and_reorder_nothing(outbox: FakeOutbox, topic: Topic, seed: int) -> None:
    """The broker fails and relays die at random; the topic ends with every version in order."""
    rng = Random(seed)
    versions = dict.fromkeys("abcd", 0)
    topic.fails = lambda: rng.random() < 0.1
    failpoints.arm(",".join(f"{p}=raise@p0.2/{seed}" for p in ("outbox_read", "outbox_acked", "outbox_removed")))
    now = 0.0
    try:
        for number in range(60):
            ticket = rng.choice("abcd")
            versions[ticket] += 1
            outbox.add(ticket, versions[ticket])
            try:
                Relay(outbox, topic.send, owner=f"r{number}", clock=lambda: now).run_once()  # noqa: B023
            except (TransientError, FatalError):
                now += LEASE_S  # another relay goes on
    finally:
        failpoints.arm(None)
    topic.fails = lambda: False
    Relay(outbox, topic.send, owner="last", clock=lambda: now + LEASE_S).run_once()
    assert outbox.events == []
    assert topic.is_complete(versions)


def test_a_refused_ticket_holds_up_no_other(outbox: FakeOutbox, topic: Topic) -> None:
    """A refused event stays in the outbox with its ticket's later ones; other tickets' events are sent."""
    for version in (1, 2, 3):
        for ticket in "ab":
            outbox.add(ticket, version)
    topic.refuses = {"a"}
    relay = Relay(outbox, topic.send, owner="r")
    done = relay.run_once()
    assert (done.sent, done.refused, done.reason) == (3, 1, "too large")
    assert [(event.ticket_id, event.version) for event in outbox.events] == [("a", 1), ("a", 2), ("a", 3)]
    topic.refuses = set()
    assert relay.run_once().sent == 3
    assert topic.is_complete({"a": 3, "b": 3})


def test_one_relay_at_a_time_sends(outbox: FakeOutbox, topic: Topic) -> None:
    """While a relay has the lease another sends nothing; it takes over when the first closes or its lease ends."""
    now = 0.0
    first, second = (Relay(outbox, topic.send, owner=name, clock=lambda: now) for name in ("first", "second"))
    outbox.add("a", 1)
    assert first.run_once().sent == 1
    outbox.add("a", 2)
    assert not second.run_once().leads
    first.close()
    assert second.run_once().sent == 1
    outbox.add("a", 3)
    assert not first.run_once().leads
    now = LEASE_S
    assert first.run_once().sent == 1


def test_two_relays_at_once_do_no_harm(outbox: FakeOutbox, topic: Topic) -> None:
    """A relay that continues without the lease repeats events, but in order."""
    for version in (1, 2, 3):
        outbox.add("a", version)
    other = Relay(outbox, topic.send, owner="other", clock=lambda: 2 * LEASE_S)

    def interrupted(events: Sequence[OutboxEvent]) -> Mapping[int, RefusedError]:
        if events[0].version == 2:
            other.run_once()
        return topic.send(events)

    Relay(outbox, interrupted, owner="frozen", clock=lambda: 0.0).run_once()
    assert len(topic.sent) > 3
    assert topic.is_complete({"a": 3})
    assert outbox.events == []


def test_a_lease_is_extended_only_now_and_then(outbox: FakeOutbox, topic: Topic) -> None:
    """A lease is extended only after a third of it has passed."""
    now = 0.0
    relay = Relay(outbox, topic.send, owner="r", clock=lambda: now)
    for number in range(12):
        outbox.add("a", number + 1)
        relay.run_once()
        now += LEASE_S / 12
    assert outbox.leases == 3
