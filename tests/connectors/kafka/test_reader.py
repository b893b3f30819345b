"""Reading a topic to its end: finding the end, and the group's name."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NoReturn

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from connectors.kafka.reader import find_cut, read_one, read_topic
from core.errors import FatalError, UnavailableError
from core.records import Origin
from core.settings import KafkaSettings
from tests.connectors.kafka.fake_client import TOPIC, FakeMessage


class _End(FakeMessage):
    """The client's message for an empty fetch."""

    def error(self) -> KafkaError | None:
        return KafkaError(KafkaError._PARTITION_EOF)


#: Bounds of a partition, an error's code, or None for a timeout.
Bounds = tuple[int, int] | int | None


class _Client:
    """A consumer of one partition.

    Attributes:
        answers: results of the next requests for its bounds: an error's code, None for a timeout, or the offsets.
        batches: results of the next calls of `consume`.
    """

    def __init__(self, answers: Sequence[Bounds], batches: list[list[FakeMessage]]) -> None:
        self.answers = list(answers)
        self.batches = batches

    def get_watermark_offsets(self, _partition: TopicPartition, **_timeout: float) -> tuple[int, int] | None:
        answer = self.answers.pop(0)
        if isinstance(answer, int):
            raise KafkaException(KafkaError(answer))
        return answer

    def assign(self, partitions: list[TopicPartition]) -> None:
        self.assigned = partitions

    def consume(self, _count: int, _timeout_s: float) -> list[FakeMessage]:
        return self.batches.pop(0) if self.batches else []


def _open(monkeypatch: pytest.MonkeyPatch, client: _Client) -> None:
    @contextmanager
    def opened(_kind: object, _options: object) -> Iterator[_Client]:
        yield client

    monkeypatch.setattr("connectors.kafka.reader.open_client", opened)


def _read(
    monkeypatch: pytest.MonkeyPatch, client: _Client, startup_timeout_s: float = 10, *, start: int | None = None
) -> list[int]:
    settings = KafkaSettings(startup_timeout_s=startup_timeout_s)
    _open(monkeypatch, client)
    begin = None if start is None else {0: start}
    return [record.origin.offset for record in read_topic(settings, TOPIC, partitions=1, start=begin)]


def test_a_lagging_replica_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """An end before the leader's end offset, from a lagging replica, is not trusted."""
    behind = [FakeMessage(0), FakeMessage(1), _End(2)]
    client = _Client([(0, 3)], [behind, [], [FakeMessage(2)], [_End(3)]])
    assert _read(monkeypatch, client) == [0, 1, 2]


def test_reading_continues_past_an_end_offset_that_is_too_low(monkeypatch: pytest.MonkeyPatch) -> None:
    """The start of the last batch, which some brokers report as the end offset, is passed."""
    batches = [[FakeMessage(0)], [FakeMessage(1), FakeMessage(2), _End(3)]]
    assert _read(monkeypatch, _Client([(0, 1)], batches)) == [0, 1, 2]


def test_a_log_that_ends_before_the_start_was_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the end the client would begin at the first record again, as if it were the next one."""
    client = _Client([(0, 5)], [[_End(5)]])
    with pytest.raises(FatalError, match=r"ends at offset 5 and had offsets up to 9: its log was cut"):
        _read(monkeypatch, client, start=9)
    assert client.assigned[0].offset == 5
    _open(monkeypatch, _Client([(0, 5)], [[_End(5)]]))
    assert "its log was cut" in (find_cut(KafkaSettings(), TOPIC, {0: 9}) or "")


def test_a_log_that_has_all_that_was_read_was_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reported end that is too low, and a broker that doesn't answer, prove nothing."""
    _open(monkeypatch, _Client([(0, 1)], [[FakeMessage(1), FakeMessage(2), _End(3)]]))
    assert find_cut(KafkaSettings(), TOPIC, {0: 3}) is None
    _open(monkeypatch, _Client([(0, 1)], []))
    assert find_cut(KafkaSettings(startup_timeout_s=0.2), TOPIC, {0: 3}) is None


def test_a_start_beyond_an_end_offset_that_is_too_low_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that was read to its end may begin its last batch, which some brokers report as the end, before that."""
    batches = [[FakeMessage(1), FakeMessage(2)], [FakeMessage(3), _End(4)]]
    assert _read(monkeypatch, _Client([(0, 1)], batches), start=3) == [3]


def test_a_missing_leader_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    """LEADER_NOT_AVAILABLE and timeouts, as in an election, are retried."""
    client = _Client([KafkaError.LEADER_NOT_AVAILABLE, None, (5, 5)], [[_End(5)]])
    assert _read(monkeypatch, client) == []
    assert client.assigned[0].offset == 5


def test_a_broker_that_does_not_answer_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that doesn't answer is a one-line error, before and after the first read."""
    with pytest.raises(UnavailableError, match=r"no broker answers at .*TICKETS_KAFKA__BROKERS"):
        _read(monkeypatch, _Client([KafkaError._TRANSPORT] * 100, []), startup_timeout_s=0.2)
    with pytest.raises(UnavailableError, match=r"no broker answers at .*TICKETS_KAFKA__BROKERS"):
        _read(monkeypatch, _Client([(0, 1)], []), startup_timeout_s=0.2)


def test_a_deleted_topic_is_reported_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deleted topic is reported as missing, not as a broker that doesn't answer."""
    with pytest.raises(FatalError, match="`ticketstream topics`"):
        _read(monkeypatch, _Client([KafkaError.UNKNOWN_TOPIC_OR_PART] * 100, []), startup_timeout_s=0.2)


def test_an_authorization_error_fails_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An authorization error isn't retried."""
    with pytest.raises(FatalError, match="the broker refuses"):
        _read(monkeypatch, _Client([KafkaError.TOPIC_AUTHORIZATION_FAILED], []))


def test_the_group_has_the_workers_group_as_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader's group begins with the worker's, so that the same prefixed ACL covers both."""
    asked: list[object] = []

    def refuse(_kind: object, options: Mapping[str, object]) -> NoReturn:
        asked.append(options["group.id"])
        raise UnavailableError("stop")

    monkeypatch.setattr("connectors.kafka.reader.open_client", refuse)
    with pytest.raises(UnavailableError):
        list(read_topic(KafkaSettings(group="blue"), "anything", partitions=1))
    assert asked == ["blue-reader"]


def test_a_record_beyond_the_end_is_looked_for_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some brokers don't answer beyond the end, so the answer would be as late as the broker may be silent."""
    client = _Client([(0, 5)], [[FakeMessage(5)], [FakeMessage(6)], [_End(7)]])
    _open(monkeypatch, client)
    assert read_one(KafkaSettings(), Origin(TOPIC, 0, 99)) is None
    assert [one.offset for one in client.assigned] == [5]
    assert client.batches == []


def test_a_record_in_the_last_batch_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some brokers report the start of the last batch as the end."""
    client = _Client([(0, 5)], [[FakeMessage(5)], [FakeMessage(6)]])
    _open(monkeypatch, client)
    found = read_one(KafkaSettings(), Origin(TOPIC, 0, 6))
    assert found is not None
    assert found.origin.offset == 6
