"""Raw records become the same events whenever they are delivered, and a bad one spoils no good one."""

import base64
import json
from collections.abc import Sequence
from typing import Any, Final, cast

import pytest

from connectors.files.formats import csv_format, parsers
from connectors.files.raw_objects import RawObjects
from connectors.kafka.dead_letters import DeadLetterTopic
from connectors.kafka.producer import Outgoing, Sender
from core.errors import ConfigError, RefusedError, TransientError
from core.producing import FoundFile
from core.service_settings import ProducerSettings
from lambdas.function import Event
from lambdas.sending import NEEDED_S
from lambdas.transformation import Reading, Transformer
from tests.lambdas.events import call

#: 2026-01-05T08:00:00Z.
AT: Final = 1_767_600_000_000
AT_TEXT: Final = "2026-01-05T08:00:00Z"
MAP: Final = "ticket_id=id;tenant_id:=acme;body=text;version=changed;updated_at=changed"
EVENT: Final = {
    "op": "upsert",
    "tenant_id": "acme",
    "ticket_id": "T-9",
    "version": 3,
    "created_at": AT,
    "updated_at": AT,
    "body": "ready",
}


class FakeSender:
    """Keeps what is sent to each topic."""

    def __init__(self) -> None:
        self.topics: dict[str, list[Outgoing]] = {"tickets.raw": [], "tickets.dlq": []}
        self.refuses = b"\0"
        self.out = False

    def offer(self, records: Sequence[Outgoing]) -> dict[int, RefusedError]:
        if self.out:
            raise TransientError("no broker")
        refused = {}
        for place, record in enumerate(records):
            if record.topic == "tickets.raw" and self.refuses in (record.value or b""):
                refused[place] = RefusedError("too large")
            else:
                self.topics[record.topic].append(record)
        return refused


class FakeObject:
    """Implements `RawFile` with bytes."""

    finished = True

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.position = 0

    def state(self) -> tuple[str, int]:
        return "stamp", len(self._content)

    def read(self, size: int) -> bytes:
        data = self._content[self.position : self.position + size]
        self.position += len(data)
        return data

    def changed(self) -> bool:
        return False

    def close(self) -> None:
        pass


class Rig:
    """The function with a fake topic and bucket."""

    def __init__(self) -> None:
        self.sender = FakeSender()
        sender = cast("Sender", self.sender)
        self.objects: dict[str, bytes] = {}
        settings = ProducerSettings(map=MAP)
        reading = Reading(
            objects=RawObjects(csv_format(settings), topic="tickets.raw"),
            new_parser=parsers(settings, topic="tickets.raw", max_bytes=100_000),
            open_object=self._open,
            topic="tickets.raw",
            max_line_bytes=100_000,
        )
        letters = DeadLetterTopic(sender, topic="tickets.dlq", now_ms=lambda: AT)
        self.handle = Transformer(reading, sender, letters).handle

    def _open(self, bucket: str, file: FoundFile) -> FakeObject:
        assert bucket == "raw"
        return FakeObject(self.objects[file.name])

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(record.value or b"") for record in self.sender.topics["tickets.raw"]]

    @property
    def letters(self) -> list[tuple[str, str]]:
        """Origin and code of each dead letter."""
        found: list[dict[str, Any]] = [dict(record.headers) for record in self.sender.topics["tickets.dlq"]]
        return [
            (f"{one['dlq-topic'].decode()}:{one['dlq-offset'].decode()}", one["dlq-code"].decode()) for one in found
        ]


def raw(number: int, text: object = "it fails", **more: object) -> dict[str, object]:
    return {"id": f"T-{number}", "text": text, "changed": AT + number, **more}


def kafka(*values: object, topic: str = "helpdesk") -> Event:
    """An event of an event source mapping for Kafka."""
    records = [
        {
            "topic": topic,
            "partition": 0,
            "offset": offset,
            "timestamp": AT,
            "timestampType": "CREATE_TIME",
            "value": base64.b64encode(value if isinstance(value, bytes) else json.dumps(value).encode()).decode(),
            "headers": [],
        }
        for offset, value in enumerate(values)
    ]
    return {"eventSource": "aws:kafka", "records": {f"{topic}-0": records}}


def s3(key: str, size: int = 1) -> Event:
    return {
        "Records": [
            {
                "eventSource": "aws:s3",
                "eventTime": AT_TEXT,
                "s3": {"bucket": {"name": "raw"}, "object": {"key": key, "size": size, "eTag": "e"}},
            }
        ]
    }


def test_raw_records_of_kafka_are_mapped_in_order() -> None:
    """Fields are mapped as columns of a CSV are; an event of the contract stays as it is."""
    rig = Rig()
    assert rig.handle(kafka(raw(1, tags=["a", "b"], priority=None), EVENT), call()) == {"sent": 2, "rejected": 0}
    assert rig.events == [
        {
            "op": "upsert",
            "tenant_id": "acme",
            "ticket_id": "T-1",
            "body": "it fails",
            "version": AT + 1,
            "created_at": AT,
            "updated_at": AT + 1,
            "tags": ["a", "b"],
        },
        EVENT,
    ]
    assert [record.key for record in rig.sender.topics["tickets.raw"]] == [b"acme/T-1", b"acme/T-9"]


def test_a_redelivered_event_gives_the_same_bytes() -> None:
    """Its events have versions that workers know already, so they change nothing."""
    rig = Rig()
    for _ in range(2):
        rig.handle(kafka(raw(1), raw(2)), call())
    sent = [(record.key, record.value) for record in rig.sender.topics["tickets.raw"]]
    assert sent[:2] == sent[2:]


def test_a_bad_record_becomes_a_dead_letter_and_the_others_are_sent() -> None:
    """The batch doesn't fail for data, which would stop the partition."""
    rig = Rig()
    values = (raw(1), b"\xff", b"[1]", raw(4, changed="soon"), {"text": "no id"}, raw(6, text=""))
    result = rig.handle(kafka(*values), call())
    assert result["sent"] + result["rejected"] == 6
    assert [offset for offset, _ in rig.letters][:3] == ["helpdesk:1", "helpdesk:2", "helpdesk:3"]
    assert rig.events[0]["ticket_id"] == "T-1"


def test_a_record_that_the_topic_refuses_becomes_a_dead_letter() -> None:
    """A record that the topic refuses would be refused at every delivery, so it becomes a letter."""
    rig = Rig()
    rig.sender.refuses = b"huge"
    assert rig.handle(kafka(raw(1), raw(2, "huge")), call()) == {"sent": 1, "rejected": 1}
    assert rig.letters == [("helpdesk:1", "too_large")]


def test_an_outage_is_raised() -> None:
    """Lambda delivers the batch again."""
    rig = Rig()
    rig.sender.out = True
    with pytest.raises(TransientError, match="no broker"):
        rig.handle(kafka(raw(1)), call())


def test_a_function_that_reads_what_it_writes_is_refused() -> None:
    """A function that reads the topic it writes would wake itself for ever."""
    with pytest.raises(ConfigError, match=r"reads tickets\.raw, which it writes"):
        Rig().handle(kafka(EVENT, topic="tickets.raw"), call())


def test_the_detail_of_an_eventbridge_event_is_a_raw_record() -> None:
    """The times that it lacks are the event's."""
    rig = Rig()
    event = {"id": "1", "source": "helpdesk", "detail-type": "ticket changed", "time": AT_TEXT, "detail": raw(1)}
    assert rig.handle(event, call()) == {"sent": 1, "rejected": 0}
    assert rig.events[0]["created_at"] == AT


@pytest.mark.parametrize("bridge", [False, True])
def test_the_lines_of_an_object_are_records(bridge: bool) -> None:
    """CSV and JSONL are read as the producer service reads them; S3's own notifications escape the key."""
    rig = Rig()
    rig.objects["s3://raw/in 1.csv"] = b"id,text,changed\nT-1,it fails,1767600000001\nT-2,x,soon\nT-3,y,1767600000003"
    event = s3("in+1.csv")
    if bridge:
        item = {"key": "in 1.csv", "size": 1, "etag": "e"}
        event = {"source": "aws.s3", "detail-type": "Object Created", "time": AT_TEXT}
        event["detail"] = {"bucket": {"name": "raw"}, "object": item}
    assert rig.handle(event, call()) == {"sent": 2, "rejected": 1}
    assert [event["ticket_id"] for event in rig.events] == ["T-1", "T-3"]
    assert rig.letters == [("s3://raw/in 1.csv:3", "bad_field")]


def test_a_large_object_ends_in_time() -> None:
    """Between two sends the function looks at its time, and says who reads large files."""
    rig = Rig()
    rig.objects["s3://raw/a.jsonl"] = b"\n".join(
        json.dumps(EVENT | {"ticket_id": f"T-{n}"}).encode() for n in range(1200)
    )
    with pytest.raises(TransientError, match="after 500 events; use the producer service for large files"):
        rig.handle(s3("a.jsonl"), call(NEEDED_S + 2.5, tick_s=1))


def test_an_unknown_event_is_a_mistake_of_the_user() -> None:
    """A wrong trigger is told in one line."""
    with pytest.raises(ConfigError, match="neither from Kafka nor from EventBridge nor from S3"):
        Rig().handle({"Records": []}, call())
