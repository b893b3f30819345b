"""The outbox's function: nothing is lost or reordered by kills, redelivery and outages, and errors are raised."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps

import pytest

from core import failpoints
from core.errors import ConfigError, FatalError, RefusedError, TransientError
from core.ticket_store import OutboxEvent
from delivery.lease import LEASE_S
from delivery.relay import Relay
from lambdas.emf import EmfTelemetry
from lambdas.outbox import DONE, Waker
from lambdas.sending import NEEDED_S
from tests.connectors.ticket_store.stores import Stores, delete, dynamo_stores, upsert
from tests.lambdas.events import SCHEDULE, FakeContext, call, stream_record, wake
from tests.rigs.dynamodb import dynamodb


class Rig:
    """Tables, a topic, and functions that relay between them."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self.topic: list[tuple[str, int]] = []
        self.refuses: set[str] = set()
        self.out = False
        self.now_s = 1_800_000_000.0
        self.slept = 0
        self.telemetry = EmfTelemetry()

    def function(self, owner: str = "lambda-1", *, wait: Callable[[], None] = lambda: None) -> Waker:
        """A process of the function; `wait` is called while it waits for another one's lease."""

        def sleep(_seconds: float) -> None:
            self.slept += 1
            wait()

        relay = Relay(self.stores.outbox, self._send, owner=owner, clock=lambda: self.now_s)
        return Waker(relay, self.stores.outbox, self.telemetry, sleep=sleep)

    def _send(self, events: Sequence[OutboxEvent]) -> Mapping[int, RefusedError]:
        if self.out:
            raise TransientError("no broker")
        refused = {}
        for place, event in enumerate(events):
            if event.ticket_id in self.refuses:
                refused[place] = RefusedError("too large")
            else:
                self.topic.append((event.ticket_id, event.version))
        return refused

    def write(self, ticket_id: str, versions: int) -> None:
        for version in range(1, versions + 1):
            self.stores.tickets.apply(upsert(ticket_id, version=version))


@contextmanager
def made_rig() -> Iterator[Rig]:
    with dynamodb() as client:
        yield Rig(dynamo_stores(client))
    failpoints.arm(None)


def with_rig(test: Callable[..., None]) -> Callable[..., None]:
    """Give `test` a rig as its first argument; it needs no fixture, so that mutants can run it too."""

    @wraps(test)
    def run(**parameters: object) -> None:
        with made_rig() as rig:
            test(rig, **parameters)

    signature = inspect.signature(test)
    run.__dict__["__signature__"] = signature.replace(parameters=list(signature.parameters.values())[1:])
    return run


def first_seen(topic: Sequence[tuple[str, int]], ticket_id: str) -> list[int]:
    """The versions of a ticket in the order of their first arrival."""
    return list(dict.fromkeys(version for found, version in topic if found == ticket_id))


@with_rig
def test_a_batch_of_the_stream_sends_every_version_in_order(rig: Rig) -> None:
    """One event sends the whole outbox, whatever records it names."""
    rig.write("T-1", 3)
    rig.write("T-2", 2)
    rig.stores.tickets.apply(delete("T-2", version=3))
    assert rig.function().handle(wake("T-2"), call()) == DONE
    assert first_seen(rig.topic, "T-1") == [1, 2, 3]
    assert first_seen(rig.topic, "T-2") == [1, 2, 3]
    assert rig.stores.outbox.size().events == 0


@with_rig
def test_a_redelivered_event_changes_nothing(rig: Rig) -> None:
    """A batch that is delivered again sends nothing."""
    rig.write("T-1", 2)
    for _ in range(2):
        assert rig.function().handle(wake(), call()) == DONE
    assert rig.topic == [("T-1", 1), ("T-1", 2)]


@pytest.mark.parametrize("event", [{}, {"Records": []}])
@with_rig
def test_an_event_without_a_new_change_touches_nothing(rig: Rig, event: dict[str, object]) -> None:
    """A batch without a change sends nothing; neither does a saved response, which is in the same table."""
    rig.write("T-1", 1)
    assert rig.function().handle(event, call()) == DONE
    saved = {"Records": [stream_record("k", partition="request/acme/jane")]}
    assert rig.function().handle(saved, call()) == DONE
    assert rig.topic == []


@with_rig
def test_a_removal_does_not_wake_the_function(rig: Rig) -> None:
    """Removals don't wake the function, which would otherwise wake itself by removing sent events."""
    rig.write("T-1", 1)
    assert rig.function().handle({"Records": [stream_record("T-1", name="REMOVE")]}, call()) == DONE
    assert rig.topic == []


@pytest.mark.parametrize("point", ["outbox_read", "outbox_acked", "outbox_removed"])
@with_rig
def test_a_function_that_ends_at_any_step_loses_and_reorders_nothing(rig: Rig, point: str) -> None:
    """The batch is delivered again, and the next process waits for the lease of the one that ended."""
    rig.write("T-1", 3)
    failpoints.arm(f"{point}=raise@1")
    with pytest.raises(FatalError):
        rig.function().handle(wake(), call())
    failpoints.arm(None)

    def time_passes() -> None:
        rig.now_s += LEASE_S / 2

    assert rig.function("lambda-2", wait=time_passes).handle(wake(), call()) == DONE
    assert first_seen(rig.topic, "T-1") == [1, 2, 3]
    assert rig.stores.outbox.size().events == 0


@with_rig
def test_an_outage_is_raised_and_nothing_leaves_the_outbox(rig: Rig) -> None:
    """An outage is raised, and never reported as a failed part of a batch, because Lambda would continue behind it."""
    rig.write("T-1", 2)
    rig.out = True
    with pytest.raises(TransientError, match="no broker"):
        rig.function().handle(wake(), call())
    assert rig.stores.outbox.size().events == 2
    rig.out = False
    rig.function().handle(wake(), call())
    assert rig.topic == [("T-1", 1), ("T-1", 2)]


@with_rig
def test_a_function_waits_for_the_relay_that_has_the_lease(rig: Rig) -> None:
    """A function waits while another relay has the lease, because that relay may die."""
    rig.write("T-1", 1)
    assert rig.stores.outbox.lease("other", now_ms=0, until_ms=int((rig.now_s + 9) * 1000))
    rig.function(wait=lambda: rig.stores.outbox.release("other")).handle(wake(), call())
    assert (rig.topic, rig.slept) == ([("T-1", 1)], 1)


@with_rig
def test_a_lease_that_does_not_end_in_time_is_raised(rig: Rig) -> None:
    """If the lease doesn't end in time, an error is raised, so that the event is delivered again."""
    rig.write("T-1", 1)
    rig.stores.outbox.lease("other", now_ms=0, until_ms=int((rig.now_s + 9) * 1000))
    context = FakeContext(60_000)
    late = call()
    late = type(late)(context, late.request_id)

    def time_passes() -> None:
        context.left_ms -= 10_000

    with pytest.raises(TransientError, match="another relay"):
        rig.function(wait=time_passes).handle(wake(), late)
    assert rig.topic == []


@with_rig
def test_a_refused_event_stays_and_holds_up_its_ticket_alone(rig: Rig) -> None:
    """If the topic refuses a ticket, others are sent, and the refused event stays in the outbox."""
    rig.write("T-1", 2)
    rig.write("T-2", 1)
    rig.refuses.add("T-1")
    assert rig.function().handle(wake(), call()) == DONE
    assert rig.topic == [("T-2", 1)]
    assert rig.stores.outbox.size().events == 2


@with_rig
def test_a_schedule_sends_what_no_event_woke_and_measures_the_rest(rig: Rig) -> None:
    """A schedule sends events that expired from the stream, and the gauges count those that can't be sent."""
    rig.write("T-1", 1)
    rig.write("T-2", 1)
    rig.refuses.add("T-2")
    rig.function().handle(SCHEDULE, call())
    assert rig.topic == [("T-1", 1)]
    lines: list[str] = []
    rig.telemetry.flush(lines.append, function="outbox", request_id="r")
    assert any('"tickets_outbox_events":1' in line for line in lines)


@with_rig
def test_a_timeout_that_is_too_short_for_a_send_is_refused(rig: Rig) -> None:
    """A timeout below 35 s is refused, because a send waits up to 30 s for its acknowledgement."""
    rig.write("T-1", 1)
    with pytest.raises(ConfigError, match="set the function's timeout to 60 s"):
        rig.function().handle(wake(), call(NEEDED_S - 1))
    assert rig.topic == []
