"""A topic as a sink: a ticket counts as written when the broker has confirmed it."""

from random import Random

import pytest
from confluent_kafka import Producer

from connectors.kafka.admin import open_cluster
from connectors.kafka.options import producer_options
from connectors.kafka.producer import Sender
from connectors.kafka.reader import read_topic
from connectors.kafka.topic_sink import TopicSink
from core.errors import FatalError, RefusedError, TransientError
from core.records import EnrichedTicket, Passage, Record, Ticket
from core.settings import KafkaSettings
from core.wire.format import OutgoingRecord
from stream.sinks import ENRICHED, write_tickets
from tests.fakes import record


def _ticket(made_from: Record) -> EnrichedTicket:
    """A ticket with one passage, whose message is its record's value."""
    passage = Passage("text", "text", "customer", public=True, message=-1)
    return EnrichedTicket(Ticket(made_from, "acme", "1", 1, None), passages=(passage,))


def _topic(kafka: KafkaSettings, name: str, **options: object) -> TopicSink[EnrichedTicket]:
    return TopicSink(
        Sender(Producer(producer_options(kafka) | {name.replace("_", "."): value for name, value in options.items()})),
        topic=name,
        message=lambda item: OutgoingRecord(item.record.value or b"", (("h", b"1"),)),
    )


@pytest.fixture
def named(tansu: str, request: pytest.FixtureRequest) -> tuple[KafkaSettings, str]:
    """A topic of four partitions."""
    kafka = KafkaSettings(brokers=tansu)
    name = f"between-{Random().randrange(10**9)}-{request.node.name[:20]}"
    open_cluster(kafka).create_topic(name, partitions=4, replication=1, config={})
    return kafka, name


def test_key_and_partition_are_kept(named: tuple[KafkaSettings, str]) -> None:
    """Key and partition are kept, regardless of the key's hash."""
    kafka, name = named
    items = [_ticket(record(n, key=b"acme/same", value=str(n).encode(), partition=n % 4)) for n in range(20)]
    _topic(kafka, name).write(items)
    found = list(read_topic(kafka, name, partitions=4))
    assert sorted((r.origin.partition, int(r.value or b"")) for r in found) == sorted((n % 4, n) for n in range(20))
    assert {r.key for r in found} == {b"acme/same"}
    assert {r.headers for r in found} == {(("h", b"1"),)}


def test_a_missing_partition_is_final(named: tuple[KafkaSettings, str]) -> None:
    """A missing partition is a fatal error, not a refusal of the ticket."""
    kafka, name = named
    with pytest.raises(FatalError, match="partition") as raised:
        _topic(kafka, name).write([_ticket(record(partition=9))])
    assert not isinstance(raised.value, RefusedError)


def test_a_record_above_the_client_limit_is_refused_alone(named: tuple[KafkaSettings, str]) -> None:
    """A record that is too large is refused, and the others of its batch are written."""
    kafka, name = named
    values = [b"a", b"x" * 5_000, b"b"]
    items = [_ticket(record(n, value=value)) for n, value in enumerate(values)]
    topic = _topic(kafka, name, message_max_bytes=2_000)
    refused = write_tickets(items, topic.write, spec=ENRICHED)
    assert [refusal.at for refusal in refused] == [1]
    assert {r.value for r in read_topic(kafka, name, partitions=4)} == {b"a", b"b"}


def test_a_broker_that_is_gone_is_an_outage() -> None:
    """A write without a broker is a transient error, so that the offset is not committed."""
    gone = KafkaSettings(brokers="127.0.0.1:1")
    with pytest.raises(TransientError):
        _topic(gone, "anything", delivery_timeout_ms=500).write([_ticket(record())])
