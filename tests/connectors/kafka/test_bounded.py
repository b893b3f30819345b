"""A broker that has stopped answering holds up neither a worker's end nor its polls for long."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import TopicPartition

from connectors.kafka import consumer as module
from connectors.kafka.bounded import ends_within
from connectors.kafka.consumer import GroupConsumer
from core.records import Batch, Record
from core.settings import WriterSettings
from tests.connectors.kafka.fake_client import FakeClient, open_fake


def _await(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_call_that_returns_in_time_is_waited_for() -> None:
    """All of it."""
    made = threading.Event()
    assert ends_within(5, made.set)
    assert made.is_set()


def test_what_a_call_raises_is_raised() -> None:
    """As if it had been made here."""

    def refuse() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        ends_within(5, refuse)


def test_a_call_that_does_not_return_is_left_alone() -> None:
    """And nobody waits for it, whatever comes of it."""
    answer = threading.Event()
    assert not ends_within(0.05, lambda: answer.wait(30) and 1 / 0)
    answer.set()


class _SilentBroker(FakeClient):
    """Answers no commit and no farewell before `answer` is set."""

    def __init__(self, clock: list[float]) -> None:
        super().__init__(clock)
        self.answer = threading.Event()
        self.asked = 0
        self.farewells = 0
        self.left = False

    def commit(self, *, offsets: list[TopicPartition], asynchronous: bool) -> list[TopicPartition]:
        if not asynchronous:
            self.asked += 1
            self.answer.wait(30)
        return offsets

    def close(self) -> None:
        self.farewells += 1
        self.answer.wait(30)
        self.left = True


_Read = tuple[GroupConsumer, Batch[Record], _SilentBroker]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Read]:
    """A consumer with a batch and no commit, the batch, and the silent broker, which answers in the end."""
    client = _SilentBroker([1_000.0])
    monkeypatch.setattr(module, "_ANSWER_S", 0.3)
    limits = WriterSettings(max_batch_records=10, max_batch_delay_ms=1, drain_timeout_s=2)
    consumer = open_fake(monkeypatch, client, limits=limits, commit_interval_s=60)
    while (batch := consumer.poll()) is None:
        pass
    yield consumer, batch, client
    client.answer.set()


@pytest.mark.parametrize("acked", [True, False])
def test_a_consumer_leaves_without_an_answer(read: _Read, acked: bool, caplog: pytest.LogCaptureFixture) -> None:
    """In time, with a word, something to commit or not; known to hang, even when the answer comes after all."""
    consumer, batch, client = read
    if acked:
        consumer.ack(batch.receipt)
    began = time.monotonic()
    consumer.close()
    assert time.monotonic() - began < 2
    assert client.asked == acked
    assert consumer.finished
    assert consumer.hangs
    assert not client.left
    assert "the broker doesn't answer" in caplog.text
    client.answer.set()
    _await(lambda: client.left)
    assert consumer.hangs


def test_a_consumer_whose_broker_answers_leaves_in_order(read: _Read) -> None:
    """The last commit is waited for, then the farewell."""
    consumer, batch, client = read
    consumer.ack(batch.receipt)
    client.answer.set()
    consumer.close()
    assert client.asked == 1
    assert client.left
    assert not consumer.hangs


def test_a_revocation_does_not_wait_for_an_answer(read: _Read) -> None:
    """The partition is given away; a farewell is tried, and left alone in time."""
    consumer, batch, client = read
    consumer.ack(batch.receipt)
    began = time.monotonic()
    client.revoke()
    assert time.monotonic() - began < 0.2
    assert not client.held
    assert not consumer.hangs, "it goes on"
    consumer.close()
    assert consumer.hangs
    assert client.farewells == 1
