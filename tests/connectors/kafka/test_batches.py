"""Topics that store compressed batches: nothing bounds their unpacked size."""

import logging
import time
from typing import Final

import pytest
from confluent_kafka import KafkaError, Producer
from confluent_kafka.admin import AdminClient

from connectors.kafka.batches import remedy, unbounded, warn_if_unbounded
from connectors.kafka.reader import read_topic
from core.settings import KafkaSettings
from tests.connectors.kafka.topics import new_topic
from tests.rigs.kafka import Kafka
from tests.rigs.waiting import wait_until

_CODECS: Final = ("gzip", "snappy", "lz4", "zstd")


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, False),
        ({"compression.type": "uncompressed"}, False),
        ({"compression.type": "producer"}, True),
        ({"compression.type": "zstd"}, True),
    ],
)
def test_a_topic_that_stores_compressed_batches_is_unbounded(options: dict[str, str], wanted: bool) -> None:
    """A topic that stores compressed batches is reported as unbounded, if the broker shows the option."""
    assert unbounded(options) is wanted


def test_a_worker_warns_of_a_topic_that_stores_compressed_batches(
    apache_kafka: Kafka, caplog: pytest.LogCaptureFixture
) -> None:
    """The warning names the topic and the command; bounded and missing topics have none."""
    loose, tight = (new_topic(apache_kafka.address, compression_type=kind) for kind in ("producer", "uncompressed"))
    client = AdminClient({"bootstrap.servers": apache_kafka.address})
    with caplog.at_level(logging.WARNING, "ticketstream.kafka"):
        for topic in ("missing", tight, loose):
            warn_if_unbounded(client, topic)
        wait_until(lambda: len(caplog.records) > 0, lambda: "no warning")
        time.sleep(0.2)
    (warning,) = caplog.messages
    assert warning.startswith(f"{loose} stores compressed batches")
    assert warning.endswith(remedy(loose))


@pytest.mark.parametrize("codec", _CODECS)
def test_a_bounded_topic_takes_no_batch_that_unpacks_to_more_than_its_limit(apache_kafka: Kafka, codec: str) -> None:
    """The broker refuses a batch that unpacks to more than its limit, and accepts a normal compressed one."""
    topic = new_topic(apache_kafka.address, compression_type="uncompressed")
    kafka = KafkaSettings(brokers=apache_kafka.address)
    assert _send(kafka, topic, codec, b" " * 2_000_000) == KafkaError.MSG_SIZE_TOO_LARGE
    assert _send(kafka, topic, codec, b"sound " * 1_000) is None
    assert [record.value for record in read_topic(kafka, topic, partitions=1)] == [b"sound " * 1_000]


def _send(kafka: KafkaSettings, topic: str, codec: str, value: bytes) -> int | None:
    """Send a record in a compressed batch and return the error's code, or None."""
    codes: list[int | None] = []
    options = {"bootstrap.servers": kafka.brokers, "compression.type": codec, "message.max.bytes": 10**8}
    producer = Producer(options)
    producer.produce(topic, value, on_delivery=lambda error, _: codes.append(None if error is None else error.code()))
    assert producer.flush(30) == 0
    return codes[0]
