"""Time limits: a broker that stops answering delays neither a worker's end nor its polls for long."""

import threading
from collections.abc import Iterator

import pytest
from confluent_kafka import TopicPartition

from connectors.kafka import consumer as module
from connectors.kafka.bounded import ends_within
from connectors.kafka.consumer import GroupConsumer
from core.records import Batch, Record
from core.settings import WriterSettings
from tests.connectors.kafka.fake_client import FakeClient, open_fake
from tests.rigs.waiting import PATIENCE_S, wait_until


def test_a_call_that_ends_in_time_is_awaited() -> None:
    """A call that ends in time has had its effect."""
    made = threading.Event()
    assert ends_within(PATIENCE_S, made.set)
    assert made.is_set()


def test_an_exception_of_a_call_is_raised() -> None:
    """An exception of the call is raised to the caller."""

    def refuse() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        ends_within(PATIENCE_S, refuse)


def test_a_call_that_does_not_return_is_abandoned() -> None:
    """A call that doesn't return in time is abandoned, and its later exception is ignored."""
    answer = threading.Event()
    assert not ends_within(0.05, lambda: answer.wait(PATIENCE_S) and 1 / 0)
    answer.set()


class _SilentBroker(FakeClient):
    """Answers neither commits nor the leaving of the group before `answer` is set."""

    def __init__(self, clock: list[float]) -> None:
        super().__init__(clock)
        self.answer = threading.Event()
        self.asked = 0
        self.leaves = 0
        self.left = False

    def commit(self, *, offsets: list[TopicPartition], asynchronous: bool) -> list[TopicPartition]:
        if not asynchronous:
            self.asked += 1
            self.answer.wait(PATIENCE_S)
        return offsets

    def close(self) -> None:
        self.leaves += 1
        self.answer.wait(PATIENCE_S)
        self.left = True


_Read = tuple[GroupConsumer, Batch[Record], _SilentBroker]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Read]:
    """A consumer that has read a batch and committed nothing, the batch, and the broker, which answers in the end."""
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
    """A consumer closes in time without the broker's answer, with a warning, and counts as hanging from then on."""
    consumer, batch, client = read
    if acked:
        consumer.ack(batch.receipt)
    consumer.close()
    assert client.asked == acked
    assert consumer.finished
    assert consumer.hangs
    assert not client.left, "it has waited for the answer"
    assert "the broker doesn't answer" in caplog.text
    client.answer.set()
    wait_until(lambda: client.left)
    assert consumer.hangs


def test_a_consumer_commits_before_it_leaves(read: _Read) -> None:
    """With a broker that answers, a consumer awaits its last commit and then leaves the group."""
    consumer, batch, client = read
    consumer.ack(batch.receipt)
    client.answer.set()
    consumer.close()
    assert client.asked == 1
    assert client.left
    assert not consumer.hangs


def test_a_revocation_does_not_wait_for_an_answer(read: _Read) -> None:
    """A revocation doesn't wait for the broker; leaving the group is tried, and abandoned in time."""
    consumer, batch, client = read
    consumer.ack(batch.receipt)
    client.revoke()
    assert client.asked == 0
    assert not client.held
    assert not consumer.hangs, "a revocation isn't a close"
    consumer.close()
    assert consumer.hangs
    assert client.leaves == 1
