"""Transformation: raw records from Kafka, EventBridge and S3 become ticket events in `tickets.raw`.

An event that is delivered again gives the same events with the same versions, because everything that a record lacks is
derived from the record and its own time. A record that can't be mapped is written to the dead-letter topic.
"""

import base64
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from time import time
from typing import Final
from urllib.parse import unquote_plus

import msgspec
from msgspec import Struct

from connectors.files.formats import csv_format, parsers
from connectors.files.lines import LineError
from connectors.files.raw_objects import RawObjects
from connectors.files.tail import NewParser, open_tail
from connectors.kafka.dead_letters import DeadLetterTopic
from connectors.kafka.producer import Outgoing, Sender
from connectors.sources.bucket import open_bucket
from core.contract import milliseconds
from core.errors import ConfigError, RefusedError, TransientError
from core.producing import Checkpoint, FoundFile, RawFile
from core.raw_records import Origin, Record, Rejected
from core.settings import Settings
from lambdas.function import Call, Event, Function, Handle
from lambdas.sending import NEEDED_S, require_time
from runtime.sender import open_sender
from runtime.telemetry import Telemetry

#: Records in a send.
_BATCH: Final = 500
#: A line may be this many times longer than its event, because of escapes, spaces and UTF-16.
_LINE_FACTOR: Final = 4
_KAFKA: Final = ("aws:kafka", "SelfManagedKafka")


class Batch(Struct, frozen=True):
    """Events to send, the records that they were made of, and records that can't be used."""

    events: list[Outgoing]
    records: list[Record]
    rejected: list[Rejected]


class Reading(Struct, frozen=True, eq=False):
    """The means to read records.

    Attributes:
        objects: maps a raw object.
        new_parser: parses the lines of a file.
        open_object: opens an object of a bucket.
        topic: that events are sent to, and records must not come from.
        max_line_bytes: of a file.
    """

    objects: RawObjects
    new_parser: NewParser
    open_object: Callable[[str, FoundFile], RawFile]
    topic: str
    max_line_bytes: int

    def batches(self, event: Event) -> Iterator[Batch]:
        """The records of an event, in batches.

        Raises:
            ConfigError: the kind of event is unknown, or it comes from the topic that is written.
            TransientError: an object can't be read for now.
        """
        if event.get("eventSource") in _KAFKA:
            yield self._mapped([self._kafka(one) for part in event["records"].values() for one in part])
        elif event.get("source") == "aws.s3":
            item = event["detail"]["object"]
            yield from self._lines(event["detail"]["bucket"]["name"], item["key"], item, event["time"])
        elif "detail-type" in event:
            value = msgspec.json.encode(event["detail"])
            yield self._mapped([Record(Origin("eventbridge", 0, 0), None, value, _ms(event["time"]))])
        elif "s3" in (event.get("Records") or [{}])[0]:
            for record in event["Records"]:
                item = record["s3"]["object"]
                key = unquote_plus(item["key"])  # in S3's own notifications, not in EventBridge's
                yield from self._lines(record["s3"]["bucket"]["name"], key, item, record["eventTime"])
        else:
            raise ConfigError("the event comes neither from Kafka nor from EventBridge nor from S3")

    def _kafka(self, record: Event) -> Record:
        if record["topic"] == self.topic:
            raise ConfigError(f"the function reads {self.topic}, which it writes; give it a topic of raw records")
        key, value = (_decoded(record.get(part)) for part in ("key", "value"))
        origin = Origin(record["topic"], record["partition"], record["offset"])
        return Record(origin, key, value, record["timestamp"])

    def _mapped(self, records: Sequence[Record]) -> Batch:
        batch = Batch([], [], [])
        for record in records:
            try:
                event = self.objects.record(record.value or b"", at_ms=record.timestamp_ms)
            except LineError as error:
                batch.rejected.append(Rejected(record, "read", error.code, error.reason))
            else:
                batch.events.append(event)
                batch.records.append(record)
        return batch

    def _lines(self, bucket: str, key: str, item: Event, at: str) -> Iterator[Batch]:
        name, at_ms, etag = f"s3://{bucket}/{key}", _ms(at), item.get("eTag") or item.get("etag")
        file = FoundFile(name, name, f'"{etag}"', int(item.get("size", 0)), at_ms)
        new = Checkpoint(file_id=name, name=name, first_ms=at_ms)
        tail = open_tail(self.open_object(bucket, file), new, self.new_parser, max_line_bytes=self.max_line_bytes)
        assert tail is not None  # noqa: S101 - only a file that was read before can differ
        try:
            at_end = False
            while not at_end:
                found = tail.batch(_BATCH, now_ms=at_ms, settled=True)
                at_end = found.at_end
                records = [
                    Record(origin, one.key, one.value, at_ms)
                    for origin, one in zip(found.origins, found.records, strict=True)
                ]
                yield Batch(list(found.records), records, list(found.rejected))
        finally:
            tail.close()


class Transformer:
    """Sends the events of raw records."""

    def __init__(self, reading: Reading, sender: Sender, dead_letters: DeadLetterTopic) -> None:
        self._reading = reading
        self._sender = sender
        self._dead_letters = dead_letters

    def handle(self, event: Event, call: Call) -> Event:
        """Transform an event.

        Raises:
            TransientError: not all was sent; the same event may be delivered again.
            ConfigError: the function's timeout is too short, or its trigger is wrong.
            FatalError: the broker refuses, or a topic is missing.
        """
        require_time(call)
        sent = rejected = 0
        for batch in self._reading.batches(event):
            if call.left_s() < NEEDED_S:
                raise TransientError(f"no time is left after {sent} events; use the producer service for large files")
            refused = self._sender.offer(batch.events)
            letters = batch.rejected + [_too_large(batch.records[place], why) for place, why in refused.items()]
            if letters:
                self._dead_letters.publish(letters)
            sent += len(batch.events) - len(refused)
            rejected += len(letters)
        return {"sent": sent, "rejected": rejected}


def _too_large(record: Record, why: RefusedError) -> Rejected:
    return Rejected(record, "read", "too_large", str(why))


def _decoded(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


def _ms(text: str) -> int:
    """The milliseconds since 1970 of an event's time, in ISO 8601."""
    return milliseconds(msgspec.convert(text, datetime, strict=False))


def open_transformation(settings: Settings, stack: ExitStack, _telemetry: Telemetry) -> Handle:
    """The handler, with its connections open.

    Raises:
        ConfigError: a setting is wrong.
    """
    topic = settings.topics.raw
    max_bytes = _LINE_FACTOR * settings.contract.max_record_bytes
    reading = Reading(
        objects=RawObjects(csv_format(settings.producer), topic=topic),
        new_parser=parsers(settings.producer, topic=topic, max_bytes=max_bytes),
        open_object=lambda bucket, file: open_bucket(f"s3://{bucket}/", "the event").open(file),
        topic=topic,
        max_line_bytes=max_bytes,
    )
    sender = open_sender(settings.kafka, stack)
    dead_letters = DeadLetterTopic(sender, topic=settings.topics.dlq, now_ms=lambda: int(time() * 1000))
    return Transformer(reading, sender, dead_letters).handle


handler: Final = Function("transformation", open_transformation)
