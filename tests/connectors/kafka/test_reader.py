"""Reading a topic from start to end: where the end is, and under which group."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from connectors.kafka.reader import read_topic
from core.errors import FatalError, UnavailableError
from core.settings import KafkaSettings
from tests.connectors.kafka.fake_client import TOPIC, FakeMessage


class _End(FakeMessage):
    """What a client returns where a fetch finds nothing."""

    def error(self) -> KafkaError | None:
        return KafkaError(KafkaError._PARTITION_EOF)


class _Client:
    """A consumer of one partition.

    Attributes:
        answers: what the next questions for its bounds come to: an error's code, None for a timeout, or the offsets.
        batches: what the next calls return.
    """

    def __init__(self, answers: list[Any], batches: list[list[FakeMessage]]) -> None:
        self.answers = answers
        self.batches = batches

    def get_watermark_offsets(self, _partition: TopicPartition, **_timeout: float) -> Any:
        answer = self.answers.pop(0)
        if isinstance(answer, int):
            raise KafkaException(KafkaError(answer))
        return answer

    def assign(self, partitions: list[TopicPartition]) -> None:
        self.assigned = partitions

    def consume(self, _count: int, _timeout_s: float) -> list[FakeMessage]:
        return self.batches.pop(0) if self.batches else []


def _read(monkeypatch: pytest.MonkeyPatch, client: _Client, **settings: Any) -> list[int]:
    @contextmanager
    def opened(_kind: Any, _options: Any) -> Iterator[_Client]:
        yield client

    monkeypatch.setattr("connectors.kafka.reader.open_client", opened)
    return [record.origin.offset for record in read_topic(KafkaSettings(**settings), TOPIC, partitions=1)]


def test_a_replica_that_is_behind_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that the partition ends before the end that its leader has told."""
    behind = [FakeMessage(0), FakeMessage(1), _End(2)]
    client = _Client([(0, 3)], [behind, [], [FakeMessage(2)], [_End(3)]])
    assert _read(monkeypatch, client) == [0, 1, 2]


def test_an_end_that_is_told_too_early_is_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some brokers name the start of the last batch."""
    batches = [[FakeMessage(0)], [FakeMessage(1), FakeMessage(2), _End(3)]]
    assert _read(monkeypatch, _Client([(0, 1)], batches)) == [0, 1, 2]


def test_a_leader_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """In an election there is none."""
    client = _Client([KafkaError.LEADER_NOT_AVAILABLE, None, (5, 5)], [[_End(5)]])
    assert _read(monkeypatch, client) == []
    assert client.assigned[0].offset == 5


def test_nobody_who_answers_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is read, and after."""
    with pytest.raises(UnavailableError, match=r"no broker answers at .*TICKETS_KAFKA__BROKERS"):
        _read(monkeypatch, _Client([KafkaError._TRANSPORT] * 100, []), startup_timeout_s=0.2)
    with pytest.raises(UnavailableError, match=r"no broker answers at .*TICKETS_KAFKA__BROKERS"):
        _read(monkeypatch, _Client([(0, 1)], []), startup_timeout_s=0.2)


def test_a_topic_that_has_gone_is_told_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker has answered."""
    with pytest.raises(FatalError, match="`ticketstream topics`"):
        _read(monkeypatch, _Client([KafkaError.UNKNOWN_TOPIC_OR_PART] * 100, []), startup_timeout_s=0.2)


def test_a_refusal_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting mends it."""
    with pytest.raises(FatalError, match="the broker refuses"):
        _read(monkeypatch, _Client([KafkaError.TOPIC_AUTHORIZATION_FAILED], []))


def test_the_reader_s_group_begins_as_the_worker_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rights to groups are given by the beginning of their names: whoever may see the worker's may read a topic."""
    asked: list[Any] = []

    def refuse(_kind: Any, options: Any) -> Any:
        asked.append(options["group.id"])
        raise UnavailableError("enough")

    monkeypatch.setattr("connectors.kafka.reader.open_client", refuse)
    with pytest.raises(UnavailableError):
        list(read_topic(KafkaSettings(group="blue"), "anything", partitions=1))
    assert asked == ["blue-reader"]
