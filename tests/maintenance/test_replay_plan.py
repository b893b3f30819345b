"""A replay sends the last letter of each record, once."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient

from connectors.kafka.admin import open_cluster
from connectors.kafka.dead_letters import DeadLetterTopic, written
from connectors.kafka.producer import Outgoing, open_sender
from connectors.kafka.reader import read_topic
from core.errors import RefusedError
from core.records import Damage, Origin, Record, Rejected
from core.settings import KafkaSettings, Settings
from core.topic_settings import TopicSettings
from maintenance import replay_plan
from maintenance.replay import LetterFilter, Parts, read_letter
from maintenance.replay_plan import Plan, plan_replay, records_at_origin, records_to_send, send_accepted
from tests.connectors.kafka.topics import new_topic
from tests.rigs.waiting import wait_until

_MODULE: Any = replay_plan


class _Stream:
    """Topics in which every record is rejected."""

    def __init__(self, brokers: str) -> None:
        raw = new_topic(brokers, partitions=2)
        topics = TopicSettings(raw=raw, enriched=f"{raw}-gone", dlq=new_topic(brokers))
        self.settings = Settings(kafka=KafkaSettings(brokers=brokers), topics=topics)
        self.sender = open_sender(self.settings.kafka)
        self._letters = DeadLetterTopic(self.sender, topic=topics.dlq, now_ms=lambda: 1)
        self._read: set[Origin] = set()

    def write(self, *records: Outgoing) -> None:
        self.sender.send(records)

    def reject(self) -> None:
        """Let a worker read on and reject everything."""
        new = [record for record in self.log() if record.origin not in self._read]
        self._read |= {record.origin for record in new}
        self._letters.publish([Rejected(record, "decode", "bad_json", "why") for record in new])

    def recreate(self) -> None:
        """Delete the topic and create it again."""
        raw, brokers = self.settings.topics.raw, self.settings.kafka.brokers
        client, cluster = AdminClient({"bootstrap.servers": brokers}), open_cluster(self.settings.kafka)
        client.delete_topics([raw])[raw].result(10)
        wait_until(lambda: raw not in cluster.topics(), every_s=0.1)
        cluster.create_topic(raw, partitions=2, replication=1, config={})
        self._read = set()

    def reject_one(self, record: Record) -> None:
        self._letters.publish([Rejected(record, "decode", "unreadable", "why")])

    def log(self) -> list[Record]:
        return list(read_topic(self.settings.kafka, self.settings.topics.raw, partitions=2))

    def bad(self, key: bytes, headers: Iterable[tuple[str, bytes]] = ()) -> Outgoing:
        return Outgoing(self.settings.topics.raw, key, b"{" + key, tuple(headers))

    def plan(self, *, again: bool = False) -> Plan:
        return plan_replay(self.settings, LetterFilter(), again=again)

    def send(self, plan: Plan) -> int:
        sent = list(records_to_send(self.settings, plan))
        self.sender.send(sent)
        return len(sent)


@pytest.fixture
def stream(tansu: str) -> _Stream:
    """Three bad records, and their letters."""
    made = _Stream(tansu)
    made.write(*(made.bad(b"acme/%d" % n) for n in range(3)))
    made.reject()
    return made


def _counts(plan: Plan) -> dict[str, int]:
    return {why: count for why, count in plan.skipped.items() if count}


def test_a_letter_is_replayed_once(stream: _Stream) -> None:
    """A letter is replayed once, even before a worker has read the copy; --again sends it once more."""
    assert stream.send(stream.plan()) == 3
    plan = stream.plan()
    assert (len(plan.chosen), _counts(plan)) == (0, {"replayed": 3})
    assert plan.told() == "3 replayed before (--again sends them once more)"
    assert len(stream.plan(again=True).chosen) == 3


def test_of_each_record_the_last_letter_is_replayed(stream: _Stream) -> None:
    """Three bad records keep three letters in a replay, after several replays and two concurrent ones."""
    for copies in (1, 1, 2, 1):
        plans = [stream.plan() for _ in range(copies)]
        assert [stream.send(plan) for plan in plans] == [3] * copies
        stream.reject()
        assert len(stream.plan().chosen) == 3
        assert len(stream.plan(again=True).chosen) == 3


def test_letters_of_a_topic_that_was_created_again_are_replayed_once(stream: _Stream) -> None:
    """Copies are found before the letter's own origin too, because the new topic's offsets begin at 0."""
    stream.write(*(stream.bad(b"acme/%d" % number) for number in range(3, 9)))
    stream.reject()
    stream.recreate()
    assert stream.send(stream.plan()) == 9
    assert (len(stream.plan().chosen), _counts(stream.plan())) == (0, {"replayed": 9})
    stream.reject()
    assert stream.send(stream.plan()) == 9
    assert (len(stream.plan().chosen), _counts(stream.plan())) == (0, {"superseded": 9, "replayed": 9})


def _all(letters: Iterable[Any]) -> list[Any]:
    return list(letters)


def _none(_settings: Any, _letters: Any) -> set[Any]:
    return set()


@pytest.mark.parametrize(("name", "broken"), [("_latest", _all), ("_replayed", _none)])
def test_a_plan_that_forgets_is_caught(
    stream: _Stream, monkeypatch: pytest.MonkeyPatch, name: str, broken: Callable[..., Any]
) -> None:
    """A mutant that knows no first origin, or doesn't look for copies, sends more than three."""
    monkeypatch.setattr(_MODULE, name, broken)
    plans = [stream.plan() for _ in range(2)]
    sent = [stream.send(plan) for plan in plans]
    stream.reject()
    sent.append(len(stream.plan(again=name == "_latest").chosen))
    sent.append(len(stream.plan().chosen))
    stream.send(stream.plan())
    sent.append(len(stream.plan().chosen))
    assert sent != [3, 3, 3, 3, 0]


def test_a_forged_first_origin_hides_no_letter(stream: _Stream) -> None:
    """A first-origin header, which anybody may write, counts only if the record there has the same key and value."""
    (first,) = (record.origin for record in stream.log() if record.key == b"acme/0")
    forged = ("dlq-first-origin", f"{first.topic}[{first.partition}]:{first.offset}".encode())
    stream.write(stream.bad(b"acme/9", [forged]))
    stream.reject()
    plan = stream.plan()
    assert (len(plan.chosen), _counts(plan)) == (4, {})


def test_a_letter_too_large_for_its_topic_stops_no_other(stream: _Stream) -> None:
    """A letter whose record no longer fits its topic is counted, and the others are sent."""

    class Small:
        """A topic of small records."""

        def __init__(self) -> None:
            self.keys: list[bytes | None] = []

        def offer(self, records: Sequence[Outgoing]) -> dict[int, RefusedError]:
            self.keys += [one.key for one in records if one.key != b"acme/1"]
            return {n: RefusedError("too large") for n, one in enumerate(records) if one.key == b"acme/1"}

    topic, plan = Small(), stream.plan()
    send_accepted(topic, plan, list(records_to_send(stream.settings, plan)))
    assert sorted(map(str, topic.keys)) == ["b'acme/0'", "b'acme/2'"]
    assert plan.told() == "1 too large for their topics (raise max.message.bytes, and replay again)"


def test_a_partition_that_the_topic_lacks_has_no_letter(stream: _Stream) -> None:
    """A missing partition isn't mistaken for a broker that doesn't answer."""
    assert read_letter(stream.settings, 0, 0) is not None
    assert read_letter(stream.settings, 99, 0) is None


def test_letters_that_can_not_be_replayed_are_counted(stream: _Stream) -> None:
    """Letters of other or missing topics, deletes without their version, and lost records are counted and not sent."""
    raw = stream.settings.topics.raw
    stream.reject_one(Record(Origin("elsewhere", 0, 0), b"acme/1", b"{", 0))
    stream.reject_one(Record(Origin(stream.settings.topics.enriched, 0, 0), b"acme/1", b"{", 0))
    stream.reject_one(Record(Origin(raw, 0, 70), b"acme/1", None, 0, (), Damage("headers", "why", 70)))
    stream.reject_one(Record(Origin(raw, 0, 80), None, None, 0, (), Damage("record", "why", 82)))
    stream.reject_one(Record(Origin(raw, 9, 80), None, None, 0, (), Damage("record", "of a lost partition", 82)))
    plan = stream.plan()
    assert _counts(plan) == {"foreign": 2, "unsafe": 1}
    assert len(plan.chosen) == 5
    assert stream.send(plan) == 3
    assert plan.skipped["gone"] == 2
    assert "2 cut or lost" in plan.told()


def test_a_delete_without_its_version_is_not_taken_from_its_origin(
    monkeypatch: pytest.MonkeyPatch, stream: _Stream
) -> None:
    """In a batch that can be read by now, a delete whose headers can't would be sent as a final one."""
    origin, damage = Origin(stream.settings.topics.raw, 0, 0), Damage("headers", "why", 0)
    found = [Record(origin, b"acme/1", value, 0, (), damage) for value in (None, b"{}")]
    monkeypatch.setattr(_MODULE, "read_range", lambda *_position, **_last: found)
    parts = Parts(origin, written(origin), False, None, frozenset(), lost="record", last=1, null=True)
    assert records_at_origin(stream.settings, parts) == found[1:]
