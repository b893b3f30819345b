"""Feedback reaches its topic at least once, whatever the broker does."""

from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from connectors.feedback.sqlite import open_feedback
from connectors.kafka.producer import Outgoing
from core.errors import FatalError, RefusedError, TransientError
from core.feedback import Feedback, FeedbackStore, GivenAnswer
from delivery.lease import LEASE_S
from services.rag.relay import FeedbackRelay, open_relay
from tests.connectors.feedback.stores import Kind, create_tables, dynamo_feedback, sqlite_feedback
from tests.rigs.dynamodb import dynamodb
from tests.rigs.waiting import wait_until


class Broker:
    """Takes records until `fault` is set; refuses those of `too_large`."""

    def __init__(self) -> None:
        self.fault: Exception | None = None
        self.too_large: frozenset[bytes] = frozenset()
        self.taken: list[Outgoing] = []

    def __call__(self, records: Sequence[Outgoing], /) -> dict[int, RefusedError]:
        if self.fault is not None:
            raise self.fault
        refused = {at: RefusedError("too large") for at, one in enumerate(records) if one.key in self.too_large}
        self.taken += [one for at, one in enumerate(records) if at not in refused]
        return refused

    def offer(self, records: Sequence[Outgoing]) -> dict[int, RefusedError]:
        """See `connectors.kafka.producer.Sender`."""
        return self(records)

    @property
    def answers(self) -> list[str]:
        """The answers whose verdicts it took."""
        return [msgspec.json.decode(one.value or b"", type=Feedback).answer.answer_id for one in self.taken]


def filled(path: Path, number: int = 3) -> FeedbackStore:
    """A store of this number of verdicts."""
    return fill(open_feedback(path), number)


def fill(store: FeedbackStore, number: int = 3) -> FeedbackStore:
    """Give this number of verdicts, or give them again."""
    for at in range(number):
        answer = GivenAnswer(
            tenant_id="acme",
            answer_id=f"a{at:03}",
            agent="x",
            question="Why?",
            question_key="q",
            text="So.",
            tickets=("T-1",),
            model="extractive",
            at_ms=1,
        )
        store.vote(Feedback(answer=answer, agent="x", verdict="sent", at_ms=1))
    return store


def test_an_outage_of_the_broker_loses_nothing(tmp_path: Path) -> None:
    """After an outage the unsent feedback is sent in order, and only once."""
    broker = Broker()
    with closing(filled(tmp_path / "f.db")) as store:
        relay = FeedbackRelay(store, broker, topic="t", owner="a")
        broker.fault = TransientError("out")
        with pytest.raises(TransientError):
            relay.run_once()
        assert relay.waiting == 3
        broker.fault = None
        assert not relay.run_once()
        assert broker.answers == ["a000", "a001", "a002"]
        assert [one.key for one in broker.taken] == [b"acme/a000", b"acme/a001", b"acme/a002"]
        relay.run_once()
        assert (len(broker.taken), relay.waiting) == (3, 0)


def test_a_backlog_is_sent_page_by_page(tmp_path: Path) -> None:
    """A backlog is sent in pages, and a full page means that there may be more."""
    broker = Broker()
    with closing(filled(tmp_path / "f.db", 250)) as store:
        relay = FeedbackRelay(store, broker, topic="t", owner="a")
        assert relay.run_once()
        assert not relay.run_once()
    assert len(set(broker.answers)) == 250


def test_a_verdict_that_is_too_large_holds_up_no_other(tmp_path: Path) -> None:
    """A verdict that is too large stays in the table, and the others are sent."""
    broker = Broker()
    broker.too_large = frozenset({b"acme/a001"})
    with closing(filled(tmp_path / "f.db")) as store:
        FeedbackRelay(store, broker, topic="t", owner="a").run_once()
        assert broker.answers == ["a000", "a002"]
        assert store.unsent(9) == []
        assert len(list(store.all())) == 3


@pytest.mark.parametrize("kind", get_args(Kind))
def test_one_of_two_relays_sends(kind: Kind, tmp_path: Path) -> None:
    """While a relay has the lease another one sends nothing; when the lease has ended it sends what is left."""
    now = 1_000.0
    broker = Broker()
    with ExitStack() as stack:
        store = (
            dynamo_feedback(create_tables(stack.enter_context(dynamodb())))
            if kind == "dynamodb"
            else sqlite_feedback(tmp_path)
        )
        stack.enter_context(closing(fill(store)))
        first, second = (FeedbackRelay(store, broker, topic="t", owner=owner, clock=lambda: now) for owner in "ab")
        first.run_once()
        fill(store, 5)
        assert not second.run_once()
        assert (len(broker.taken), second.waiting) == (3, 5)  # the first relay has the lease
        now += LEASE_S
        second.run_once()
        assert len(broker.taken) == 8
        fill(store, 1)
        first.run_once()
        assert len(broker.taken) == 8
        second.end()
        second.run()
        first.run_once()
        assert len(broker.taken) == 9


def test_the_thread_says_why_feedback_waits(tmp_path: Path) -> None:
    """The fault names a missing topic; a new client is opened, and everything is sent once the topic exists."""
    broker, opened = Broker(), []

    def open_sender(_stack: ExitStack) -> Broker:
        opened.append(1)
        return broker

    broker.fault = FatalError("the topic t is missing")
    with ExitStack() as stack:
        store = stack.enter_context(closing(filled(tmp_path / "f.db")))
        relay = open_relay(store, open_sender, stack, topic="t", owner="a")  # type: ignore[arg-type]  # it offers, too
        wait_until(lambda: "the topic t is missing" in (relay.fault or "") and len(opened) > 1)
        broker.fault = None
        wait_until(lambda: relay.fault is None and relay.waiting == 0)
    assert broker.answers == ["a000", "a001", "a002"]


def test_a_bug_does_not_end_the_thread(tmp_path: Path) -> None:
    """After an error of an unknown type the fault names the type and not the message, and sending is tried again."""
    broker = Broker()
    broker.fault = ValueError("the customer's words")
    with ExitStack() as stack:
        store = stack.enter_context(closing(filled(tmp_path / "f.db")))
        relay = open_relay(store, lambda _stack: broker, stack, topic="t", owner="a")  # type: ignore[arg-type, return-value]  # it offers, too
        wait_until(lambda: relay.fault == "verdicts wait for t: a bug (ValueError)")
        broker.fault = None
        wait_until(lambda: relay.fault is None and relay.waiting == 0)
    assert broker.answers == ["a000", "a001", "a002"]
